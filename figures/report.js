"use strict";
(() => {
  const controls = document.querySelector(".filters");
  const cards = [...document.querySelectorAll("article")];
  const told = document.getElementById("told");
  const apply = () => {
    const want = Object.fromEntries(new FormData(controls));
    const words = want.words.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      const fits = (!want.paper || card.dataset.paper === want.paper) && (!want.verdict || card.dataset.verdict === want.verdict) &&
        (!want.provenance || card.dataset.provenance.split(" ").includes(want.provenance)) &&
        words.every((word) => card.textContent.toLowerCase().includes(word));
      card.hidden = !fits;
      shown += fits;
    }
    for (const section of document.querySelectorAll("section[data-paper]")) section.hidden = !section.querySelector("article:not([hidden])");
    told.textContent = `${shown} of ${cards.length} claims shown`;
  };
  controls.hidden = false;
  controls.addEventListener("input", apply);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", () => setTimeout(apply));
  addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });
  apply();
})();
