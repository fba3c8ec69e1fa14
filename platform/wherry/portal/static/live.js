// Follows a log by Server-Sent Events. Lines become text nodes: nothing that a program prints is ever read as HTML.
"use strict";

const MOST_LINES = 5000; // beyond it the oldest go, so that a page left open stays small
const LONGEST_WAIT = 30000; // milliseconds between tries to reconnect

function follow(box) {
  const lines = box.querySelector(".lines");
  const state = box.querySelector(".state");
  const pause = box.querySelector(".pause");
  const jump = box.querySelector(".jump");
  const status = document.getElementById("status");
  const waiting = [];
  let url = box.dataset.events;
  let source = null;
  let timer = 0;
  let wait = 1000;
  let paused = false;
  let ended = false;
  let faulty = false;
  let drawing = false;
  let unseen = 0;

  function atEnd() {
    return lines.scrollHeight - lines.scrollTop - lines.clientHeight < 24;
  }

  function toEnd() {
    lines.scrollTop = lines.scrollHeight;
    unseen = 0;
    tell();
  }

  function tell(connection) {
    if (connection) state.dataset.connection = connection;
    const said = paused ? `Paused, ${waiting.length} new` : state.dataset.connection;
    if (state.textContent !== said) state.textContent = said;
    jump.hidden = unseen === 0;
    jump.textContent = `${unseen} new below`;
  }

  function child(name, text, parent) {
    const made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  }

  function element(entry) {
    const line = document.createElement("div");
    line.className = "line";
    if (entry.kind) line.classList.add(entry.kind);
    if (entry.at) {
      child("time", entry.clock, line).dateTime = entry.at;
      line.append(" ");
    }
    if (entry.process) {
      child("b", entry.process, line);
      line.append(" ");
    }
    child("span", entry.text, line);
    return line;
  }

  function draw() {
    drawing = false;
    if (paused || waiting.length === 0) return tell();
    const reading = !atEnd();
    const added = document.createDocumentFragment();
    const fresh = waiting.splice(0).slice(-MOST_LINES);
    for (const entry of fresh) added.append(element(entry));
    lines.append(added);
    if (!reading) {
      while (lines.childElementCount > MOST_LINES) lines.firstElementChild.remove();
      return toEnd();
    }
    unseen += fresh.length;
    tell();
  }

  function soon() {
    if (drawing) return;
    drawing = true;
    // A page in the background gets no animation frames; its lines must be drawn all the same.
    if (document.hidden) setTimeout(draw, 200);
    else requestAnimationFrame(draw);
  }

  function open() {
    clearTimeout(timer);
    source = new EventSource(url);
    source.onopen = () => {
      if (!faulty) tell("Live");
    };
    source.onmessage = (event) => {
      alive();
      if (event.lastEventId) url = after(event.lastEventId);
      waiting.push(JSON.parse(event.data));
      if (waiting.length > MOST_LINES) waiting.shift();
      soon();
    };
    source.addEventListener("idle", alive);
    source.addEventListener("trouble", (event) => {
      faulty = true;
      source.close();
      tell(`${JSON.parse(event.data)}; trying again…`);
      retry();
    });
    source.addEventListener("end", (event) => finish(JSON.parse(event.data)));
    source.onerror = () => {
      if (ended) return;
      tell("Connection lost, trying again…");
      if (source.readyState === EventSource.CLOSED) retry();
    };
  }

  function alive() {
    faulty = false;
    wait = 1000;
    tell("Live");
  }

  function after(id) {
    const next = new URL(url, location.href);
    next.searchParams.set("after", id);
    return next.pathname + next.search;
  }

  // A browser gives up by itself when the answer is not a stream (the server restarts, too many readers).
  function retry() {
    clearTimeout(timer);
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  function finish(outcome) {
    ended = true;
    source.close();
    tell(outcome ? `Ended: ${outcome}` : "Ended");
    if (status && outcome) {
      status.textContent = outcome;
      status.className = `badge ${outcome}`;
    }
    soon();
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    tell();
    if (!paused) soon();
  });
  jump.addEventListener("click", toEnd);
  lines.addEventListener("scroll", () => {
    if (unseen && atEnd()) toEnd();
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted && !ended) open();
  });

  box.querySelector(".controls").hidden = false;
  box.querySelector(".still").hidden = true;
  toEnd();
  tell("Connecting…");
  open();
}

document.querySelectorAll("[data-events]").forEach(follow);
