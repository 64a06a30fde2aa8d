/** The report: mounts the live panel on the numbers in the page; on paper everything is light. */

const paper = matchMedia("print");
const dress = (printed) => {
  if (printed) document.documentElement.dataset.theme = "paper";
  else delete document.documentElement.dataset.theme;
};
addEventListener("beforeprint", () => dress(true));
addEventListener("afterprint", () => dress(false));
paper.addEventListener("change", () => dress(paper.matches));

try {
  const data = await unpack(JSON.parse(document.getElementById("data").textContent));
  mount(document.getElementById("panel"), data);
} catch (error) {
  document.getElementById("trouble").hidden = false;
  throw error;
}
