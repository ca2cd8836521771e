// Proves a little work in a background thread instead of asking a question. Without scripts, or
// if the thread cannot start, the question stays.
"use strict";

(() => {
  const form = document.querySelector("form[data-captcha]");
  if (form === null || typeof Worker === "undefined") return;
  const question = form.querySelector("[data-question]");
  const answer = question.querySelector("input");
  const status = form.querySelector("[data-status]");
  const nonce = form.querySelector("input[name=nonce]");
  // The button that waits for the work to be done.
  let waiting = null;

  const ask = () => {
    question.hidden = false;
    answer.required = true;
    status.hidden = true;
  };

  let worker;
  try {
    worker = new Worker("/static/captcha-worker.js");
  } catch {
    return;
  }
  question.hidden = true;
  answer.required = false;
  status.hidden = false;
  worker.onerror = ask;
  worker.onmessage = (event) => {
    nonce.value = event.data;
    status.textContent = status.dataset.done;
    if (waiting !== null) form.requestSubmit(waiting);
  };
  worker.postMessage({ id: form.dataset.id, bits: Number(form.dataset.bits) });

  form.addEventListener("submit", (event) => {
    if (nonce.value !== "" || !question.hidden) return;
    event.preventDefault();
    waiting = event.submitter ?? form.querySelector("button");
    status.textContent = status.dataset.working;
  });
})();
