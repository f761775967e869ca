// What the page says, in its languages. English is also in index.html, for the
// moment before this module runs.
const words = {
  fr: {
    "Files": "Fichiers", "Folder": "Dossier", "Connect": "Connecter", "Download all": "Tout télécharger", "New folder": "Nouveau dossier",
    "Upload": "Envoyer", "Uploads": "Envois", "Hide": "Masquer", "Drop to upload": "Déposez pour envoyer",
    "Drop files here, or choose Upload.": "Déposez des fichiers ici, ou choisissez Envoyer.", "This folder is empty.": "Ce dossier est vide.",
    "Cancel": "Annuler", "Previous": "Précédent", "Next": "Suivant", "Download": "Télécharger", "Close": "Fermer",
    "Connect from your computer or phone": "Se connecter depuis l’ordinateur ou le téléphone",
    "Enter this in any program that speaks WebDAV. Whoever knows the password can use the files as you can.":
      "À saisir dans tout programme qui parle WebDAV. Qui connaît le mot de passe peut utiliser les fichiers comme vous.",
    "Address and password": "Adresse et mot de passe", "This server does not hand out such addresses yet.": "Ce serveur ne fournit pas encore ces adresses.",
    "Rename": "Renommer", "Move": "Déplacer", "Delete": "Supprimer", "More for {name}": "Plus pour {name}", "Create": "Créer",
    "Name of the new folder": "Nom du nouveau dossier", "New name for {name}": "Nouveau nom pour {name}", "Move {name} to": "Déplacer {name} vers",
    "Delete {name}?": "Supprimer {name} ?", "It cannot be brought back.": "C’est définitif.", "The folder and all that is in it cannot be brought back.": "Le dossier et tout son contenu seront perdus définitivement.",
    "This name cannot be used.": "Ce nom ne convient pas.", "Something of that name is already there.": "Ce nom est déjà pris.",
    "It is no longer there.": "Il n’est plus là.", "There is no room left.": "Il n’y a plus de place.", "That did not work. Please try again.": "Cela n’a pas marché. Veuillez réessayer.",
    "waiting": "en attente", "done": "terminé", "stopped": "arrêté", "Try again": "Réessayer", "Stop {name}": "Arrêter {name}",
    "{done} of {all} uploaded": "{done} sur {all} envoyés", "Address": "Adresse", "User": "Utilisateur", "any": "au choix", "Password": "Mot de passe",
    "Opening…": "Ouverture…",
  },
};

export const language = (navigator.languages ?? ["en"]).map((l) => l.slice(0, 2)).find((l) => l === "en" || l in words) ?? "en";

/** The text in the reader's language, with {name}s filled in. */
export const t = (text, values = {}) => (words[language]?.[text] ?? text).replace(/\{(\w+)\}/g, (_, k) => values[k] ?? "");

const units = language === "fr" ? ["o", "ko", "Mo", "Go", "To"] : ["B", "kB", "MB", "GB", "TB"];

/** "12.3 MB" */
export function size(bytes) {
  let n = bytes, unit = 0;
  while (n >= 1000 && unit < units.length - 1) { n /= 1000; unit++; }
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: unit && n < 100 ? 1 : 0 }).format(n)}\u00a0${units[unit]}`;
}

const today = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const otherDay = new Intl.DateTimeFormat(language, { dateStyle: "medium" });

export function date(ms) {
  const d = new Date(ms);
  return (d.toDateString() === new Date().toDateString() ? today : otherDay).format(d);
}

/** Translates the page: texts of [data-t], labels of [data-label]. */
export function translatePage() {
  document.documentElement.lang = language;
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = t(e.textContent.trim());
  for (const e of document.querySelectorAll("[data-label]")) {
    for (const a of ["aria-label", "title"]) if (e.hasAttribute(a)) e.setAttribute(a, t(e.getAttribute(a)));
  }
}
