"use strict";
const part = (id) => document.getElementById(id);
const said = new URLSearchParams(location.hash.slice(1));
const token = said.get("token") || "";
history.replaceState(null, "", location.pathname);

// What the page says in the reader's language, as the link or else the browser names it.
function spoken(languages) {
  const wanted = (said.get("lang") || navigator.language).slice(0, 2).toLowerCase();
  document.documentElement.lang = Object.hasOwn(languages, wanted) ? wanted : "en";
  return languages[document.documentElement.lang];
}

function say(kind, ...lines) {
  part("outcome").className = kind;
  part("outcome").replaceChildren(...lines.filter(Boolean).map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  }));
}

function refused(problem) {
  say("bad", problem.detail, ...(problem.errors ?? []).map((error) => error.detail), problem.remedy);
}

// Post what the reader decided; the answer when it was taken, nothing when a problem was said instead.
async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token, ...body }),
    credentials: "omit",
  });
  if (answer.ok) {
    return true;
  }
  refused(await answer.json());
  return false;
}
