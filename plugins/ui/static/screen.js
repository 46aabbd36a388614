// What pages do beyond plain links and forms; each of them works without.

// Links to Airflow's own pages: the frame may not leave itself, so the page around it is told where to go.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || window.parent === window) return;
  event.preventDefault();
  window.parent.history.pushState({}, "", link.dataset.airflow);
  window.parent.dispatchEvent(new PopStateEvent("popstate"));
});

// One menu is open at a time; Escape and a click elsewhere close it.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
const place = (menu) => {
  const list = menu.querySelector("div");
  const from = menu.querySelector("summary").getBoundingClientRect();
  const below = from.bottom + list.offsetHeight + 8 < window.innerHeight;
  list.style.top = `${Math.max(4, below ? from.bottom + 2 : from.top - list.offsetHeight - 2)}px`;
  list.style.left = `${Math.max(4, from.right - list.offsetWidth)}px`;
};
const placeOpen = () => document.querySelectorAll("details.menu[open]").forEach(place);
window.addEventListener("scroll", placeOpen, true);
window.addEventListener("resize", placeOpen);
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest("details.menu");
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  menu.open = true;
  const moves = [...menu.querySelectorAll("div a, div button:not([disabled])")];
  const now = moves.indexOf(document.activeElement);
  const next = { ArrowDown: now + 1, ArrowUp: now < 0 ? moves.length - 1 : now - 1, Home: 0, End: moves.length - 1 }[event.key];
  moves[(next + moves.length) % moves.length].focus();
});
document.addEventListener("toggle", (event) => event.target.matches("details.menu[open]") && place(event.target), true);

// Filters apply when they are chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("form.filters:not([data-asks]) :is(select, input[type=date]), form[data-live-form] select.reload")) {
    event.target.form.requestSubmit();
  }
  if (event.target.matches("input[data-all]")) {
    for (const box of document.querySelectorAll("input[name=name][form=bulk]")) box.checked = event.target.checked;
  }
  const bulk = document.querySelector("#bulk");
  if (bulk) {
    const chosen = document.querySelectorAll("input[name=name][form=bulk]:checked").length;
    for (const button of bulk.querySelectorAll("button")) button.disabled = chosen === 0;
    bulk.querySelector("[data-count]").textContent = chosen ? `${chosen} chosen` : "None chosen";
  }
});
document.querySelectorAll("#bulk button").forEach((button) => (button.disabled = true));

// Nothing is sent twice. (A form's own properties are hidden by fields of the same name, so attributes are asked.)
document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("method") !== "post" || event.defaultPrevented) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Parts of a page that renew themselves, one by one, without losing the place.
const busy = () =>
  document.hidden ||
  document.querySelector("details.menu[open], input[name=name]:checked") ||
  document.activeElement?.matches("[data-live] :is(input:not([type=checkbox]), select, textarea)");
const marks = (element) =>
  [element.tagName, element.id, ...["href", "name", "value", "aria-label"].map((name) => element.getAttribute(name)),
    element.closest("form")?.getAttribute("action"), element.textContent.trim()].join("\n");
const sameIn = (part, element) => [...part.querySelectorAll("a, button, summary, input, [tabindex]")].find((each) => marks(each) === marks(element));
const exchange = (part, fresh) => {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const places = [...part.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
  for (const opened of part.querySelectorAll("details[open][id]")) fresh.querySelector(`[id="${opened.id}"]`)?.setAttribute("open", "");
  if (fresh.isEqualNode(part)) return;
  part.replaceWith(document.adoptNode(fresh));
  fresh.querySelectorAll(".scroll").forEach((each, number) => (each.scrollLeft = places[number] || 0));
  if (focused) sameIn(fresh, focused)?.focus({ preventScroll: true });
};
const renew = async () => {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) exchange(part, fresh);
  }
};
const every = Number(document.body.dataset.refresh || 0);
if (every) {
  setInterval(() => {
    if (!busy()) renew().catch(() => {});
  }, every * 1000);
}

// A file may be dropped anywhere on a page that takes one, and is checked at once; elsewhere it is not opened either.
const taker = () => document.querySelector("main input[type=file]");
const bringsFile = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!bringsFile(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = taker() ? "copy" : "none";
  document.body.classList.toggle("dropping", Boolean(taker()));
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!bringsFile(event)) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  const field = taker();
  if (!field) return;
  field.files = event.dataTransfer.files;
  field.form.querySelector("[data-check]")?.click();
});

// A dry run keeps the chosen file in its field: only the report comes into the page.
document.querySelector("form[data-report]")?.addEventListener("submit", async (event) => {
  if (!event.submitter?.matches("[data-check]")) return;
  event.preventDefault();
  const form = event.target;
  delete form.dataset.sent;
  const content = new FormData(form, event.submitter);
  const result = document.getElementById("result");
  result.textContent = "Checking ...";
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: content, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const report = page.querySelector("#report, .trouble");
    result.replaceChildren(report ? document.adoptNode(report) : "The server gave no report.");
  } catch {
    result.textContent = "The server does not answer. Try again.";
  }
});

// The wizard: fields that are of no use with what was chosen are hidden; without this script all are shown.
const wizard = document.querySelector("form[data-wizard]");
const valueOf = (form, name) => {
  const field = form.querySelector(`[name="${name}"]:checked`) || form.querySelector(`[name="${name}"]:not([type=radio])`);
  return field ? field.value.trim() : "";
};
const fits = (form, condition) => {
  const [name, values] = condition.split("=");
  return values === "*" ? Boolean(valueOf(form, name)) : values.split("|").includes(valueOf(form, name));
};
const showFitting = (form) => {
  for (const part of form.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split("&").every((condition) => fits(form, condition));
  }
  for (const button of form.querySelectorAll("[data-stay]")) button.hidden = true;
};
for (const form of document.querySelectorAll("form[data-fits]")) {
  form.addEventListener("change", () => showFitting(form));
  showFitting(form);
}

// Choices that change what is asked, and rows that are added or taken away, renew the form without losing the place.
const redraw = async (button) => {
  const content = new FormData(wizard, button);
  content.delete("sample");
  const answer = await fetch(wizard.getAttribute("action"), { method: "POST", body: content, headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form[data-wizard]");
  if (!answer.ok || !fresh) return wizard.requestSubmit(button);
  const opened = [...wizard.querySelectorAll("details[open]")].map((each) => each.id);
  const focused = document.activeElement;
  const [name, value] = [focused?.name, focused?.value];
  wizard.replaceChildren(...[...fresh.childNodes].map((each) => document.adoptNode(each)));
  for (const id of opened) if (id) document.getElementById(id)?.setAttribute("open", "");
  showFitting(wizard);
  const [what, rows] = button.value.split(":");
  const added = what === "add" && [...wizard.querySelectorAll(`[id="rows-${rows}"] > .one`)].pop();
  const kept = name && [...wizard.querySelectorAll(`[name="${name}"]`)].find((each) => !/radio|submit/.test(each.type) || each.value === value);
  (added ? added.querySelector("input, select") : kept)?.focus();
};
wizard?.addEventListener("click", (event) => {
  const button = event.target.closest("button[value^='add:'], button[value^='drop:']");
  if (!button) return;
  event.preventDefault();
  redraw(button).catch(() => wizard.requestSubmit(button));
});

// What is written is checked as it is written, and the schedule said in words.
const checkLive = async (field) => {
  const content = new FormData(wizard);
  content.delete("sample");
  content.set("go", "check");
  const answer = await fetch(wizard.getAttribute("action"), { method: "POST", body: content, headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { wrong, schedule } = await answer.json();
  const name = field.name;
  for (const place of wizard.querySelectorAll("[data-wrong]")) {
    const own = place.dataset.wrong;
    const concerns = own === name || name.startsWith(`${own}.`) || own.startsWith(`${name.split(".").slice(0, -1).join(".")}.`);
    const untouched = own !== name && wizard.elements[own]?.value === "";
    if (!wrong[own] || (concerns && !untouched)) place.textContent = wrong[own] || "";
  }
  field.toggleAttribute("aria-invalid", Boolean(wrong[name]));
  const words = wizard.querySelector("[data-schedule]");
  if (words) words.textContent = schedule.words && schedule.words + (schedule.next[0] ? `. Next: ${schedule.next[0]}` : "");
};
wizard?.addEventListener("change", (event) => {
  const stay = wizard.querySelector("[data-stay]");
  if (stay && event.target.matches("[name=method], [name=methodology], [name=data_type]")) redraw(stay).catch(() => {});
  else if (event.target.type !== "file") checkLive(event.target).catch(() => {});
});
// Only the fields of the chosen way are shown; without this script all are.
const ways = document.querySelector("form[data-ways]");
const showWay = () => {
  const chosen = ways.querySelector("input[name=way]:checked")?.value;
  for (const part of ways.querySelectorAll("[data-way]")) part.hidden = !part.dataset.way.split(" ").includes(chosen);
};
if (ways) {
  ways.addEventListener("change", showWay);
  showWay();
}

// On a narrow screen the entry of this page is in sight.
for (const entry of document.querySelectorAll(".top [aria-current], .tabs [aria-current]")) {
  const line = entry.parentElement;
  if (entry.offsetLeft + entry.offsetWidth > line.offsetLeft + line.clientWidth) line.scrollLeft = entry.offsetLeft - entry.parentElement.clientWidth / 2;
}
