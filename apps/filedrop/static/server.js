// What the page asks of the app.
import { t } from "./words.js";

const problems = {
  name: "This name cannot be used.",
  exists: "Something of that name is already there.",
  gone: "It is no longer there.",
  full: "There is no room left.",
};

/** The text for a person of what the app answered. */
export const problem = (word) => t(problems[word.trim()] ?? "That did not work. Please try again.");

async function ask(url, options) {
  let response;
  try { response = await fetch(url, options); } catch { throw new Error(problem("")); }
  if (!response.ok) throw new Error(problem(await response.text()));
  return response;
}

export const list = async (path) => (await ask(`/api/list?${new URLSearchParams({ path })}`)).json();
export const folders = async () => (await ask("/api/folders")).json();

const post = (what) => (path, to) => ask(`/api/${what}`, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ path, to }),
});
export const makeFolder = post("folder");
export const move = post("move");
export const remove = post("delete");
