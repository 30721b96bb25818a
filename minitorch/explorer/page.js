// All that the page shows is a function of the state S; render() draws it again.
const {abs, ceil, floor, max, min, sqrt} = Math, $ = id => document.getElementById(id);
const D = JSON.parse($("data").textContent), S = {pass: 0, step: 1, open: {}, said: {}, score: []};
// The pass, its rows, the row shown, how many rules have run, the question that waits, whether the window is wide,
// whether no backward has run, and a colour by its name.
let P, R, cur, ran, ask, big, still, color;

// ---- pieces of the page: text, [tag.classes, pieces], attributes, {d: which array, from 1}, or {use: a row, l: a leaf}
function h(tag, ...kids) {
  const [name, ...cls] = tag.split("."), e = document.createElement(name);
  e.className = cls.join(" ");
  for (const k of kids.flat(9)) {
    if (!k || k.constructor != Object) (k || k === 0) && e.append(k);
    else for (const p in k) p in e ? e[p] = k[p] : e.setAttribute(p, k[p]);
  }
  return e;
}
const fill = (id, ...kids) => $(id).replaceChildren(...kids.flat(9));
const draw = p => p.map ? h(p[0], p.slice(1).map(draw)) : p.d ? array(p) : p.l == null ? p :
  ask && ask.leaf == p.l ? "?" : h("span.sq" + (ran > p.use ? ".full" : ""));
function array({d, w = 300, h: tall = 60, px = 9, scale = 1, grey, turn, box, heat}) {
  const e = D.arrays[d - 1], [T, Y, X] = e.c, [, H, W] = e.d, gap = T > 1 ? 1 : 0;
  if (e.t && !heat && px == 9 && e.t[0].join("").length * 7 + X * 14 < min(max(w, 300), innerWidth - 32))
    return h("table.nums", e.t.map(r => h("tr", r.map(t => h("td", t)))));
  const n = gap ? ceil(sqrt(2 * T * H / W)) : 1, swap = (...v) => turn ? v.reverse() : v;
  const tile = t => [t % n * (W + gap), floor(t / n) * (H + gap)];
  const size = swap(n * (W + gap) - gap, ceil(T / n) * (H + gap) - gap);
  const u = max(.1, min(px, w / size[0], tall / size[1])), [cw, ch] = size.map(s => max(2, s * u)), z = devicePixelRatio;
  const style = `width:${cw}px;height:${ch}px`, title = `(${e.s}) ${e.of}`, said = {role: "img", title, "aria-label": title};
  const c = h("canvas", said, {width: cw * z, height: ch * z, style}), k = c.getContext("2d");
  k.scale(z * u, z * u);
  [...e.q].forEach((q, i) => {
    const v = q.charCodeAt() - 66, [left, top] = tile(floor(i / X / Y)), [dx, dy] = swap(W / X, H / Y);
    const [x, y] = swap(left + i % X * W / X, top + floor(i / X) % Y * H / Y);
    k.globalAlpha = v > 31 ? 1 : abs(v) / 31 * scale;
    k.fillStyle = color(v > 31 ? "ink" : grey ? "dim" : v < 0 ? "low" : "hot");
    v && k.fillRect(x, y, max(dx - (u > 3) / u, .5 / u), max(dy - (u > 3) / u, .5 / u));
  });
  if (box) {
    const [t, row, column, height, width] = box, [left, top] = tile(t);
    k.globalAlpha = 1; k.strokeStyle = color("ink"); k.lineWidth = 2 / u;
    k.strokeRect(left + column, top + row, width, height);
  }
  return c;
}
const here = r => r.due.filter(d => d < ran).length, state = r => here(r) + " of " + r.due.length;
const used = fits => R[cur].leaves.map(l => P.leaves[l]).find(fits);
const count = l => l.uses.filter(r => r < ran).length, is = kind => ask && ask.kind == kind;
const called = r => r.op + " " + r.at;
const button = (tag, id, onclick, ...kids) => h("button." + tag, {onclick, id}, kids);
const set = change => { Object.assign(S, change); render(); };

// ---- the tape: rows, folds, and lanes between them
function tape() {
  if (S.map) return $("tape").innerHTML = P.map, $("m" + R[cur].grp).classList.add("now");
  const H = big ? 25 : 32, pane = $("tape"), G = P.groups, at = [], rows = [], open = {};
  const twice = ran > cur && used(l => l.uses[1]), same = twice ? twice.uses.filter(r => r < ran) : [];
  let y = big ? 29 : 0, room = big ? pane.clientHeight / H - 4 - G.length : 0;
  // modules are open, the nearest first, as far as there is room
  G.map((g, i) => [abs(i - R[cur].grp), i, g[2] - g[1] + 2]).sort((a, b) => a[0] - b[0])
    .forEach(([d, i, n]) => open[i] = (room -= n) > 0 || !d || S.all);
  const put = (e, first, last) => { rows.push(e); for (; first <= last; first++) at[first] = y + H / 2; y += H; };
  G.forEach(([name, a, b], g) => {
    const key = S.pass + "." + g, on = !name || a == b || (S.open[key] ?? open[g]);
    const waits = !on && a >= ran && !still && " · " + state(R[a]);
    if (name && a < b) put(button("row.fold" + (on ? ".none" : b < ran ? ".done" : ""), "g" + g, () => set({open: {...S.open, [key]: !on}}),
      {"aria-expanded": on}, h("span", on ? "" : a + 1), h("span"), h("span.op", (on ? "▾ " : "▸ ") + name),
      h("span.last", b - a + 1 + " steps", waits)), a, on ? -1 : b);
    for (let i = a; i <= b; i++) if (on || same.includes(i)) put(row(i), i, i);
  });
  const lead = i => at.indexOf(at[i]), x = lane => 11 + lane * min(14, 35 / P.lanes), mid = i => x(R[lead(i)].lane), done = i => still || i < ran;
  const bend = (y0, x0, x1) => x0 == x1 ? "V" + (y0 + H) : "C" + [x0, y0 + H / 2, x1, y0 + H / 2, x1, y0 + H], drawn = new Set();
  P.edges.map(([u, v, lane]) => [done(u) ? u == cur && !still ? 2 : 1 : 0, at[u], at[v], mid(u), mid(v), x(lane)]).sort((p, q) => p[0] - q[0])
    .forEach(([k, a, b, xa, xb, xl]) => {
      const far = b - a > H, d = `M${xa} ${a}` + bend(a, xa, far ? xl : xb) + (far ? "V" + (b - H) + bend(b - H, xl, xb) : "");
      a < b && drawn.add(`<path d="${d}" fill=none stroke="${color(["rule", "line", "hot"][k])}"/>`);
    });
  R.forEach((r, i) => {
    const last = at.lastIndexOf(at[i]), now = i == cur && i == last && !is("next"), may = !done(i) && !ask && here(r) == r.due.length;
    const c = color(now || may ? "hot" : "line"), s = last > i ? 9 : now ? 10 : may ? 8 : 7, rx = last > i ? 0 : s;
    lead(i) == i && drawn.add(`<rect x="${x(r.lane) - s / 2}" y="${at[i] - s / 2}" width="${s}" height="${s}" rx="${rx}"
      fill="${done(last) ? c : color("bg")}" stroke="${c}"/>`);
  });
  const svg = `<svg class=lanes width=64 height=${y} stroke-width=1.5 aria-hidden=true>${[...drawn].join("")}</svg>`;
  fill("tape", draw(P.head), rows, draw(P.foot), h("div", {innerHTML: svg}),
    same[1] ? h("div.bracket", {style: `top:${at[same[0]]}px;height:${at[same.at(-1)] - at[same[0]]}px`}) : "");
  pane.scrollTop = y + 90 > pane.clientHeight ? at[cur] - pane.clientHeight / 2 : 0;
}
function row(i) {
  const r = R[i], now = i == cur && !is("next"), next = !ask && i == ran && i != cur;
  const waits = still || i == cur && is("count") ? "" : h("span.dim", state(r), next && " · next");
  return button("row" + (now ? ".cur" : i < ran ? ".done" : next ? ".next" : ""), "r" + i, () => go(i + 1),
    {title: called(r), "aria-current": now && "step"}, h("span", still ? R.length - i : is("next") && i >= ran ? "" : i + 1),
    h("span"), r.cells.map(draw), h("span.last", i < ran ? r.size.map(draw) : waits));
}

// ---- the card: of a question, of a leaf, of the step
function card() {
  const r = R[cur], q = S.predict && r.q, said = S.said[S.id], old = S.leaf != null && !ask;
  const leaf = old ? P.leaves[S.leaf] : !ask && used(l => l.uses[count(l) - 1] == cur && (count(l) > 1 || l.left));
  const title = !is("next") && h("div.f.title", h("h2", r.op), h("span.dim", r.at), h("span.dim.far", `node ${r.n} on the tape`));
  fill("card", q && !ask ? quiz(q, said) : "", old ? button("go", "x", () => set({leaf: null}), "← step " + S.step) : "",
    leaf ? draw(leaf.cards[max(0, count(leaf) - 1)]) : "",
    old ? "" : [title || "", (ask ? ask.show.map(i => r.card[i]) : r.card).map(draw)], ask ? quiz(q) : "");
  if (is("shape")) for (const e of document.querySelectorAll("#card .of-" + ask.letter)) e.className = "now", e.textContent = "?";
}
const quiz = (q, said) => h("div.q",
  h("div.f", h("b.now", ask ? "Predict before you step" : said == q.right ? "Right" : "Not so")),
  h("h3", q.ask.map(draw)), h("div.f.opts", q.options.map((t, i) => button(ask ? "" : i == q.right ? "now" : i == said ? "down" : "", "o" + i,
    () => answer(i), {disabled: !ask}, t, h("kbd", i + 1)))),
  h("p.dim", ask ? `Press 1 to ${q.options.length}.` : q.why));
const answer = i => set({said: {...S.said, [S.id]: i}, score: [...S.score, i == ask.right]});

// ---- the shelf, the head, the keys
function shelf() {
  const leaf = (l, i) => {
    const k = count(l), look = k && l.uses[k - 1] == cur && ran > cur ? ".new" : k || l.left ? "" : ".none";
    return button("leaf" + look, "l" + i, () => set({leaf: S.leaf == i ? null : i}), {title: l.name},
      (ask && ask.leaf == i ? l.states[0].slice(0, 1) : l.states[k]).map(draw), h("span.marks", l.marks.map(draw)));
  };
  fill("shelf", draw(P.shelf), h("div.leaves", P.leaves.map(leaf)));
}
function head() {
  const n = R.length, where = () => h("b", still ? "The tape" : (ask ? "Next: " : "Step ") + S.step + " of " + n);
  const back = (d, t) => button("go" + (d > 0 ? ".on" : ""), t[0] + t.length, () => go(S.step + d),
    {disabled: !R[cur + d] || d > 0 && ask, title: d > 0 ? "on" : "back"}, t);
  const key = (k, text) => button("", k, () => press(k), h("kbd", k), " " + text);
  const pick = {"aria-label": "pass", id: "pass", onchange() { S.pass = this.selectedIndex; S.leaf = null; go(1); }};
  const find = {id: "find", value: S.find, "aria-label": "find",
    oninput() { S.find = this.value; go(1 + max(0, R.findIndex(r => called(r).includes(S.find)))); }};
  fill("who", h("h1", D.title),
    D.passes[1] ? h("select", pick, D.passes.map((_, i) => h("option", {selected: i == S.pass}, `pass ${i + 1} of ${D.passes.length}`)))
      : h("span.dim", still ? "forward" : "pass 1 of 1"),
    h("div.f.far", S.score[0] != null && h("b.now", `${S.score.filter(ok => ok).length} of ${S.score.length} right`), !still && key("p", "predict"), key("f", "fold"), key("m", "map"),
      S.find == null ? key("/", "find") : h("input", find)));
  fill("go", back(-1, "←"), where(), back(1, "→"));
  fill("foot", back(-1, "← Back"), where(), back(1, "Step →"));
  const wide = $("time").clientWidth, w = min(n < 13 ? 60 : 36, (wide - 2) / n), gap = w > 4 ? 2 : 0;
  let end = 0;
  fill("time", h("div.cells", R.map((_, i) => h("i" + (i == cur ? ".cur" : "") + (i < ran ? ".full" : ""),
    {onclick: () => go(i + 1), style: `width:${w - gap}px;margin-right:${gap}px`}))), P.marks.map(([i, t]) => {
    const x = i * w, to = x + t.length * 6.5 + 8;
    return x < end || to > wide ? "" : (end = to, h("span", {style: `left:${x}px`}, t));
  }));
}
function go(step) {
  $("card").scrollTop = 0;
  set({step: max(1, min(R.length, step))});
}
function press(k) {
  set(k == "p" ? {predict: !S.predict} : k == "f" ? {all: !S.all, open: {}} : k == "m" ? {map: !S.map} : {find: ""});
  k == "/" && $("find").focus();
}
onkeydown = e => {
  const k = e.key, to = {ArrowRight: S.step + 1, ArrowLeft: S.step - 1, Home: 1, End: R.length}[k], find = e.target.id == "find";
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName == "SELECT") return;
  if (k == "Escape" || find && k == "Enter") set({leaf: null, find: null});
  else if (find) return;
  else if (to) ask && to > S.step || go(to);
  else if (ask && ask.options[k - 1]) answer(k - 1);
  else if ("/fm".includes(k) || k == "p" && !still) press(k);
  else return;
  e.preventDefault();
};
function render() {
  const focus = document.activeElement.id, style = getComputedStyle(document.body);
  P = D.passes[S.pass]; R = P.rows; cur = S.step - 1; still = P.forward; big = innerWidth > 1259 || matchMedia("print").matches;
  color = name => style.getPropertyValue("--" + name);
  S.id = S.pass + "." + S.step;
  ask = S.predict && !still && S.said[S.id] == null && R[cur].q;
  ran = still ? 0 : ask ? cur : cur + 1;
  shelf(); card(); tape(); head();
  focus && $(focus) && $(focus).focus({preventScroll: true});
  location.protocol == "about:" || history.replaceState(0, "", `#pass=${S.pass + 1}&step=${S.step}`);
}
(onhashchange = () => {
  const f = new URLSearchParams(location.hash.slice(1));
  S.pass = max(0, min(D.passes.length, f.get("pass") || 1) - 1);
  R = D.passes[S.pass].rows;
  go(+f.get("step") || 1);
})();
matchMedia("(prefers-color-scheme:dark)").onchange = onresize = onbeforeprint = () => render();
