// @ts-check
/**
 * The button that shares the address: it copies the link, and says what whoever gets it needs to have.
 *
 * Where the browser does not let a page write to the clipboard, a field to copy from is shown instead.  A page that is
 * embedded has a link to the whole one besides.
 */

const SAID = 12000; // ms for which it is said that the link was copied

/** @param {HTMLElement} root */
export function shareButton(root) {
  const shell = make("div", "");
  const button = make("button", "button", { type: "button" }, "Share");
  const whole = make("a", "whole", { target: "_blank", rel: "noopener" }, "Open the whole page");
  const said = make("div", "said", { role: "status", "data-testid": "address-said" });
  shell.append(whole, button, said);
  root.append(shell);
  /** @type {string[]} */
  let needs = [];
  let timer = 0;
  button.addEventListener("click", async () => {
    const copied = await copy(window.location.href);
    said.replaceChildren(...(copied ? [] : [field(window.location.href)]), ...told(copied, needs));
    said.querySelector("input")?.select();
    clearTimeout(timer);
    if (copied) timer = window.setTimeout(() => said.replaceChildren(), SAID);
  });
  const dismiss = (/** @type {KeyboardEvent} */ { key }) => key === "Escape" && said.replaceChildren();
  shell.addEventListener("keydown", dismiss);
  return {
    calls: 0,
    update(/** @type {string[]} */ lines) {
      needs = lines;
      const link = unembedded(window.location.href);
      whole.hidden = link === window.location.href;
      whole.setAttribute("href", link);
    },
    remove() {
      clearTimeout(timer);
      shell.remove();
    },
  };
}

/** The address without what leaves out parts of the page. @param {string} address */
export function unembedded(address) {
  const url = new URL(address);
  if (!url.searchParams.has("embed")) return address;
  url.searchParams.delete("embed");
  url.searchParams.delete("embed_options");
  return url.href;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // refused, or the page came without https
  }
}

/** @param {string} link */
function field(link) {
  return make("input", "field", { readonly: "", "aria-label": "The link to copy", value: link });
}

/** @param {boolean} copied @param {string[]} needs */
function told(copied, needs) {
  const first = copied ? "The link is copied. Whoever opens it needs" : "Copy the link from here. Whoever opens it needs";
  const list = make("ul", "needs");
  list.append(...needs.map((line) => make("li", "need", {}, line)));
  return [make("p", "first", {}, first), list];
}

/** @param {string} tag @param {string} name @param {Record<string, string>} attributes */
function make(tag, name, attributes = {}, text = "") {
  const node = document.createElement(tag);
  node.className = name ? `cascade-address__${name}` : "cascade-address";
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}
