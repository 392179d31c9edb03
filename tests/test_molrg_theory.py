"""molrg, closed forms: reference values, limits, identities and bad input, on the host."""

import json
from pathlib import Path

import numpy as np
import pytest

from sims.molrg import _host
from theory.molrg import _clusters, _denoiser, _rates, _sampler, _subspaces, _tails

VECTORS = json.loads((Path(__file__).parent / "data" / "molrg.vectors.json").read_text())
LEVELS = [(1 - 0.9 * t, t) for t in np.linspace(0.01, 0.99, 50)]


# ------------------------------------------------------------------------------------------------------ reference values


def _us(U):
    return [np.array(u) for u in U]


def _completed(X, d, completion):
    n = len(X)
    truth = np.eye(n)[:, :d]
    found = _host.pca(np.array(X), d, ("worst", "best")[completion], truth=truth)
    return _subspaces.subspace_error(found, truth)


def _det(A, E, d):
    A, E = np.array(A), np.array(E)
    truth = np.eye(len(E))[:, :d]
    smin = np.linalg.svd(A, compute_uv=False)[-1]
    found = _host.pca(truth @ A + E, d)
    return [_subspaces.subspace_error(found, truth), _subspaces.thm2i_det_bound(np.linalg.norm(E), smin)]


def _kss(X, K, d, labels):
    return _host.kss(np.array(X), K, d, np.random.default_rng(0), labels=np.array(labels))


_SIGMAS = np.geomspace(0.05, 3, 30)
_posterior = _denoiser.lem1_posterior_mean
_EVALUATE = {
    ("lem1", "posterior mean"): lambda U, pi, s, g, x_t: _posterior(x_t, _us(U), pi, s, g, weights=_denoiser.lem1_weights)[0],
    ("lem1.det", "posterior mean"): lambda U, pi, s, g, x_t: _posterior(x_t, _us(U), pi, s, g)[0],
    ("lem1.det", "posterior weights"): lambda U, pi, s, g, x_t: _denoiser.lem1_det_weights(x_t, _us(U), pi, s, g)[0],
    ("lem1.det", "FALSIFIER"): lambda U, pi, s, g, x_t: _posterior(x_t, _us(U), pi, s, g, weights=_denoiser.lem1_weights)[0],
    ("fig3", "Jacobian"): lambda U, pi, s, g, x_t: _denoiser.jacobian(x_t, _us(U), pi, s, g),
    ("lem1.det", "score"): lambda U, pi, s, g, x_t: _denoiser.score(x_t, _us(U), pi, s, g)[0],
    ("lem1.gen", "general posterior mean"): lambda U, mu, lam, pi, s, g, x_t: _denoiser.gen_posterior(x_t, _us(U), pi, s, g, mu, lam)[0][0],
    ("lem1.gen", "weights"): lambda U, mu, lam, pi, s, g, x_t: _denoiser.gen_posterior(x_t, _us(U), pi, s, g, mu, lam)[1][0],
    ("fig3", "numerical rank"): lambda s: [_denoiser.numerical_rank(s), _denoiser.numerical_rank(s, rooted=False)],
    ("thm1", "sum over samples"): lambda X, U, s, g: _denoiser.pca_loss(np.array(X), np.array(U), s, g),
    ("thm1", "slope"): lambda: _denoiser.pca_slope(LEVELS),
    ("thm1", "FALSIFIER"): lambda: _denoiser.pca_slope(LEVELS, 1.2),
    ("thm1.free", "optimal shrinkage"): lambda sigma, weights, lam, d: _denoiser.free_shrinkage(sigma, weights, lam[:d]),
    ("thm1.free", "minimum"): lambda sigma, weights, lam, d: sum(lam) + _denoiser.free_gain(sigma, weights, lam[:d]),
    ("rv", "explicit tail bound"): lambda N, d, t: _tails.rv_tail(N, d, t),
    ("rv", "q_up"): lambda N, d: _tails.rv_q_up(N, d),
    ("rv", "supremum"): lambda: _tails.rv_supremum(),
    ("thm2i.det", "[PCA error"): _det,
    ("thm2i.det", "rank-d"): lambda A, E, d: _subspaces.thm2i_rank_bound(
        _subspaces.rank_part(E, d), np.linalg.svd(A, compute_uv=False)[-1]
    ),
    ("thm2i.tight", "err"): lambda delta: _subspaces.tie_ratio(delta),
    ("thm2i", "c1"): lambda N, d, c1, E_fro: _tails.thm2i_bound(E_fro, N, d, c1),
    ("thm2i.rate", "inverse-Wishart"): _rates.inverse_wishart_error,
    ("thm2i.rate", "spiked"): _rates.spiked_sine,
    ("thm2ii.sharp", "sqrt"): _subspaces.thm2ii_sharp,
    ("thm2ii.bayes", "least mean"): _subspaces.thm2ii_bayes,
    ("thm2ii", "err of"): _completed,
    ("thm3", "SC energy"): lambda X, U: _denoiser.sc_energy(np.array(X), _us(U)),
    ("thm3", "hard-max loss"): lambda X, U, s, g: _denoiser.hardmax_loss_closed_form(np.array(X), _us(U), s, g, penalised=False),
    ("thm3.unequal", "hard-max loss"): lambda X, U, s, g: _denoiser.hardmax_loss_closed_form(np.array(X), _us(U), s, g),
    ("thm3.unequal", "kappa"): lambda sigma=None: _denoiser.penalty(_SIGMAS if sigma is None else [sigma]),
    ("thm3.gap", "P("): _denoiser.thm3_gap,
    ("thm4.unique", "number"): _clusters.num_optimal_partitions,
    ("thm4.unique", "global SC energy"): lambda X, K, d: _host.brute_sc(X, K, d).energy,
    ("thm4i", "stated guarantee"): lambda K, d, counts: 1 - _tails.thm4i_failure(d, counts),
    ("w2", "[err^2"): lambda theta: _subspaces.w2_of_angles(theta),
    ("w2", "probability-flow"): _subspaces.flow_distance,
    ("sampler", "sigma schedule"): lambda steps: _sampler.sigma_schedule(steps),
    ("sampler", "Heun"): lambda steps: _sampler.in_subspace_error(steps),
    ("sampler", "FALSIFIER"): lambda steps: _sampler.in_subspace_error(steps, heun=False),
    ("fig4", "K-subspaces (A2) from the given starting labels: final labels"): lambda **a: _kss(**a)[0],
    ("fig4", "K-subspaces (A2) from the given starting labels: final SC energy"): lambda **a: _kss(**a)[2],
}


def _evaluate(vector):
    (found,) = [f for (claim, what), f in _EVALUATE.items() if vector["id"] == f"molrg.{claim}" and vector["what"].startswith(what)]
    return found(**vector["args"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['id'].removeprefix('molrg.')}-{v['what'][:24]}")
def test_closed_forms_equal_their_reference_values(vector):
    np.testing.assert_allclose(_evaluate(vector), vector["value"], rtol=max(vector["rtol"], 1e-15), atol=1e-13)
