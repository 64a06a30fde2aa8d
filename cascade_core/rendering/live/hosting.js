// @ts-check
/** What Streamlit's component entries have in common: they are called at every rerun with the same element. */

/**
 * Mount once, update afterwards, and return the cleanup of this call.
 * @template {{destroy(): void, calls?: number}} T
 * @param {WeakMap<object, T>} kept what is mounted, by Streamlit's element
 * @param {object} element
 * @param {() => T} mounted
 * @param {(there: T) => void} update
 */
export function keptAlive(kept, element, mounted, update) {
  let there = kept.get(element);
  if (there) update(there);
  else kept.set(element, (there = mounted()));
  const now = there;
  const call = (now.calls = (now.calls ?? 0) + 1);
  return () => {
    // Streamlit may run the cleanup of a superseded call late: only the latest one may take down.
    if (call !== now.calls) return;
    now.destroy();
    kept.delete(element);
  };
}
