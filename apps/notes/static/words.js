// What the page says, in its languages. English is also in index.html, for the
// moment before this module runs.
const words = {
  fr: {
    "Write": "Écrire", "Both": "Les deux", "Read": "Lire", "View": "Affichage", "Format": "Mise en forme",
    "Bold": "Gras", "Italic": "Italique", "Heading": "Titre", "List": "Liste", "Task": "Tâche", "Link": "Lien",
    "Undo": "Annuler", "Redo": "Rétablir", "Download": "Télécharger", "Here now": "Présents",
    "Note": "Note", "Text of the note": "Texte de la note", "Untitled note": "Note sans titre",
    "Write something. What you type is saved at once, and others see it as you go.":
      "Écrivez quelque chose. Tout est enregistré aussitôt, et les autres vous voient écrire.",
    "Nothing is written here yet.": "Rien n’est encore écrit ici.",
    "Opening…": "Ouverture…", "Saving…": "Enregistrement…", "Saved": "Enregistré", "You may read this note": "Vous pouvez lire cette note",
    "Not connected. What you write is kept on this page.": "Hors ligne. Ce que vous écrivez reste sur cette page.",
    "The note is full: the last change was taken back.": "La note est pleine : la dernière modification a été retirée.",
    "you": "vous", "reads": "lit", "link": "lien", "text": "texte",
  },
};

const language = (navigator.languages ?? ["en"]).map((l) => l.slice(0, 2)).find((l) => l === "en" || l in words) ?? "en";

/** The text in the reader's language. */
export const t = (text) => words[language]?.[text] ?? text;

const number = new Intl.NumberFormat(language);
const plural = new Intl.PluralRules(language);
const counted = {
  en: { one: "word", other: "words" },
  fr: { one: "mot", many: "mots", other: "mots" },
};

/** "1 word", "1,234 words" */
export const wordCount = (n) => `${number.format(n)} ${counted[language][plural.select(n)]}`;

/** Translates the page: texts of [data-t], labels of [data-label]. */
export function translatePage() {
  document.documentElement.lang = language;
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = t(e.textContent.trim());
  for (const e of document.querySelectorAll("[data-label]")) {
    for (const a of ["aria-label", "title", "placeholder"]) if (e.hasAttribute(a)) e.setAttribute(a, t(e.getAttribute(a)));
  }
}
