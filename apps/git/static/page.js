// Asks the shell for the grain's title and for an address that git can use. The
// password in it is shown in a frame of the shell's own: we never see it.
const patience = 4000; // ms until a shell that knows no templates is given up

const answers = new Map();
addEventListener("message", (e) => {
  if (e.source !== parent || !answers.has(e.data?.rpcId)) return;
  answers.get(e.data.rpcId)(e.data);
  answers.delete(e.data.rpcId);
});

/** Sends a request to the shell; undefined if no answer comes. */
const ask = (message, rpcId = crypto.randomUUID()) => new Promise((done) => {
  answers.set(rpcId, done);
  parent.postMessage(message(rpcId), "*");
  setTimeout(() => { answers.delete(rpcId); done(undefined); }, patience);
});

const show = (id) => { document.getElementById(id).hidden = false; };

if (parent === window) {
  show("no-shell");
} else {
  ask((rpcId) => ({ getGrainTitle: {}, rpcId })).then((answer) => {
    if (answer?.grainTitle) document.getElementById("title").textContent = answer.grainTitle;
  });
  const offer = document.getElementById("offer");
  const template = `git clone ${location.protocol}//git@$API_HOST/$GRAIN_TITLE_SLUG.git\n${offer.dataset.password}: $API_TOKEN`;
  ask((rpcId) => ({ renderTemplate: { rpcId, template, petname: "git", clipboardButton: "right" } })).then((answer) => {
    if (!answer?.uri) return show("no-offer");
    offer.src = answer.uri;
    offer.hidden = false;
  });
}
