// Light or dark as Airflow's own page has it, before anything is drawn.
(() => {
  const own = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let outer = null;
  try {
    outer = window.parent !== window ? window.parent.document.documentElement : null;
  } catch {
    outer = null;
  }
  const dark = () => {
    if (outer && /\b(dark|light)\b/.test(outer.className)) return outer.classList.contains("dark");
    const chosen = localStorage.getItem("theme");
    return chosen === "dark" || (chosen !== "light" && system.matches);
  };
  const follow = () => own.classList.toggle("dark", dark());
  follow();
  if (outer) new MutationObserver(follow).observe(outer, { attributes: true, attributeFilter: ["class"] });
  system.addEventListener("change", follow);
})();
