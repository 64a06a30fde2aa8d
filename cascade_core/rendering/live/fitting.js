// @ts-check
/** Drawings that take the width there is. */

/** Run `fit` now and whenever the width changes; heights follow from it, so they are no reason. */
export function keepFitted(shell, fit) {
  let width = -1;
  const check = () => {
    if (shell.clientWidth === width || shell.clientWidth === 0) return;
    width = shell.clientWidth;
    fit();
  };
  check();
  const observer = new ResizeObserver(check);
  observer.observe(shell);
  document.fonts?.ready.then(() => shell.isConnected && width > 0 && fit());
  return () => ((width = 0), observer.disconnect());
}
