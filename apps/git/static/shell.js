// Tells the shell title and address of each page, also of cgit's, and writes
// times as the reader does.
const tell = (message) => parent.postMessage(message, "*");

if (parent !== window) {
  tell({ setTitle: document.title });
  tell({ setPath: location.pathname + location.search + location.hash });
  addEventListener("hashchange", () => tell({ setPath: location.pathname + location.search + location.hash }));
}

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) time.textContent = format.format(new Date(time.dateTime));
