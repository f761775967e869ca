package main

import (
	"net/http"
	"strings"
)

// words is a language: English text → its translation; nil is English.
type words map[string]string

// Tag is the language's name for the page.
func (w words) Tag() string {
	if w == nil {
		return "en"
	}
	return "fr"
}

func (w words) say(s string) string {
	if t, ok := w[s]; ok {
		return t
	}
	return s
}

// language is the first of the visitor's that we speak.
func language(r *http.Request) words {
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ = strings.Cut(strings.TrimSpace(strings.ToLower(tag)), ";")
		switch primary, _, _ := strings.Cut(tag, "-"); primary {
		case "en":
			return nil
		case "fr":
			return french
		}
	}
	return nil
}

var french = words{
	"Repository": "Dépôt", "Overview": "Aperçu", "Commits": "Commits", "Files": "Fichiers", "Branches and tags": "Branches et étiquettes",
	"Sections": "Sections", "Clone": "Cloner", "Address and password": "Adresse et mot de passe",
	"Git on your computer takes the repository from this address. Whoever knows the password can do what you can.": "Git, sur votre ordinateur, prend le dépôt à cette adresse. Qui connaît le mot de passe peut agir comme vous.",
	"This server does not hand out such addresses yet.":                                                            "Ce serveur ne fournit pas encore ces adresses.",
	"This address is shown when the page is open in Sandstorm.":                                                    "Cette adresse s’affiche quand la page est ouverte dans Sandstorm.",
	"Password":                             "Mot de passe",
	"You can read and push.":               "Vous pouvez lire et envoyer.",
	"You can read, but not push.":          "Vous pouvez lire, mais pas envoyer.",
	"Nothing here yet":                     "Encore rien ici",
	"Send what you have":                   "Envoyer ce que vous avez",
	"In a folder that git knows already:":  "Dans un dossier que git connaît déjà :",
	"ADDRESS":                              "ADRESSE",
	"Or begin here":                        "Ou commencer ici",
	"Text of README.md":                    "Texte de README.md",
	"Make the first commit":                "Faire le premier commit",
	"Somebody who may write has to begin.": "À quelqu’un qui peut écrire de commencer.",
	"Our project":                          "Notre projet",
	"Newest commits":                       "Derniers commits",
	"All commits":                          "Tous les commits",
	"Last changes of branches":             "Derniers changements des branches",
	"Branch that is shown and cloned":      "Branche montrée et clonée",
	"Choose":                               "Choisir",
	"The repository cannot be read. The grain’s log says why.":        "Le dépôt n’est pas lisible. Le journal du grain dit pourquoi.",
	"Please write a line or more, but not a book.":                    "Écrivez une ligne au moins, mais pas un livre.",
	"Somebody else was faster: the repository is not empty any more.": "Quelqu’un a été plus rapide : le dépôt n’est plus vide.",
	"This did not work. The grain’s log says why.":                    "Cela n’a pas marché. Le journal du grain dit pourquoi.",
	"There is no such branch any more.":                               "Cette branche n’existe plus.",
}
