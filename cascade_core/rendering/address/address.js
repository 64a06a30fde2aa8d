// @ts-check
/**
 * The page's address as a component: it follows what Python shows, takes Back and Forward to Python, and is shared by a
 * button.  history.js has the rules, share.js the button.
 *
 * It fetches nothing and draws nothing but the button.
 */

import { follow, listenForBack } from "./history.js";
import { shareButton } from "./share.js";
/** @import { Wanted } from "./history.js" */

const shares = new WeakMap(); // Streamlit's element -> what is mounted inside

/**
 * Streamlit's entry, called at every rerun with the same parentElement.  One that listens tells Python of Back, and shows
 * nothing; the other, which runs with a view, follows it and has the button.
 * @param {{parentElement: HTMLElement, data: Wanted & {needs: string[], listens?: boolean}, setTriggerValue: (name: string, value: unknown) => void}} call
 */
export default function address({ parentElement, data, setTriggerValue }) {
  if (data.listens) return listenForBack((turn, query) => setTriggerValue("back", { turn, query }));
  const share = shares.get(parentElement) ?? shareButton(parentElement);
  shares.set(parentElement, share);
  follow(data);
  share.update(data.needs);
  const call = (share.calls += 1);
  return () => {
    // Streamlit may run the cleanup of a superseded call late: only the latest one may take down.
    if (call !== share.calls) return;
    share.remove();
    shares.delete(parentElement);
  };
}
