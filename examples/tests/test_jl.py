"""The lemma as a test of one's own: exact before statistical, and every falsifier caught. Each verdict errs with probability 1e-6."""

from pathlib import Path

import numpy as np
import pytest

import sims

sims.use_plugin(Path(__file__).resolve().parents[1])


@pytest.mark.claim("jl.norm")
def test_the_bound_by_hand():
    from theory import jl

    # k = 24, eps = 1/2: eps^2/2 - eps^3/3 = 1/8 - 1/24 = 1/12, so 2 exp(-24/12/2) = 2/e.
    assert jl.norm_bound(24, 0.5) == pytest.approx(2 / np.e, rel=1e-15)
    with pytest.raises(ValueError, match=r"eps must be inside \(0, 1\), got 1.5"):
        jl.norm_bound(24, 1.5)


@pytest.mark.claim("jl.norm")
def test_squares_and_matrices_have_the_same_law():
    """False alarm 1e-6, 4,000 replicates each."""
    import jax
    from scipy import stats

    from sims import jl

    cell = jl.NormCell(24, 0.4)
    hits = []
    for seed, simulate in enumerate((jl.length_is_off, jl.length_is_off_by_matrix)):
        hits.append(int(jax.vmap(lambda key, f=simulate: f(key, cell))(jax.random.split(jax.random.key(seed), 4000)).sum()))
    assert stats.fisher_exact([hits, [4000 - h for h in hits]]).pvalue > 1e-6


@pytest.mark.claim("jl.norm")
@pytest.mark.claim("jl.pairs")
@pytest.mark.parametrize("claim", ["jl.norm", "jl.pairs"])
def test_supported_and_the_falsifiers_are_caught(claim, tmp_path):
    summary = sims.run(claim, out=tmp_path)
    assert summary["verdict"] == "SUPPORTED", summary["reason"]
