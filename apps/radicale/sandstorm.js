// Radicale's page in a grain: whoever sees it is signed in already, and the
// address for calendar programs comes from the shell.
"use strict";

// The page sends XML without saying so; the bridge takes only what says so.
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  if (typeof body === "string" && body.startsWith("<")) this.setRequestHeader("Content-Type", "application/xml; charset=utf-8");
  return send.call(this, body);
};

addEventListener("load", () => {
  const form = document.querySelector("#loginscene [data-name=form]");
  form.querySelector("[data-name=user]").value = "shared";
  form.querySelector("[data-name=password]").value = "none";
  form.requestSubmit();
  if (parent === window) return;
  parent.postMessage({ setTitle: "Radicale" }, "*");

  const french = (navigator.languages?.[0] ?? "en").startsWith("fr");
  const text = french ? {
    title: "Connecter un agenda ou un carnet d’adresses",
    how: "À saisir dans tout programme qui parle CalDAV ou CardDAV. Qui connaît le mot de passe peut agir comme vous.",
    none: "Ce serveur ne fournit pas encore ces adresses.",
    template: "Adresse", user: "Utilisateur", password: "Mot de passe",
  } : {
    title: "Connect a calendar or address book",
    how: "Enter this in any program that speaks CalDAV or CardDAV. Whoever knows the password can do what you can.",
    none: "This server does not hand out such addresses yet.",
    template: "Address", user: "User", password: "Password",
  };
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = text.title;
  const how = document.createElement("p");
  how.textContent = text.how;
  const offer = document.createElement("iframe");
  offer.title = text.title;
  offer.hidden = true;
  const none = document.createElement("p");
  none.textContent = text.none;
  none.hidden = true;
  details.append(summary, how, offer, none);
  document.body.append(details);

  details.addEventListener("toggle", () => {
    if (!details.open) return;
    const rpcId = String(Math.random());
    const timer = setTimeout(() => { none.hidden = false; }, 4000);
    const listener = (e) => {
      if (e.source !== parent || e.data?.rpcId !== rpcId) return;
      clearTimeout(timer);
      removeEventListener("message", listener);
      none.hidden = !!e.data.uri;
      offer.hidden = !e.data.uri;
      if (e.data.uri) offer.src = e.data.uri;
    };
    addEventListener("message", listener);
    parent.postMessage({ renderTemplate: {
      rpcId,
      template: `${text.template}: ${location.protocol}//$API_HOST/\n${text.user}: shared\n${text.password}: $API_TOKEN`,
      petname: "CalDAV, CardDAV",
    } }, "*");
  });
});
