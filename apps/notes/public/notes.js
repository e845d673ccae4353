import { call } from './api.js';
import { showFiles } from './files.js';

const $ = (selector) => document.querySelector(selector);
const list = $('#notes');
/** Note id -> the version on the page and its list item. */
const shown = new Map();
/** Notes deleted while this page was open: a late event must not bring one back. */
const deleted = new Set();

/** Puts a note on the page, unless a later version of it is there already. Ids grow, so the order is theirs. */
function show(note) {
  const known = shown.get(note.id);
  if (deleted.has(note.id) || (known && known.version >= note.version)) return;
  const item = known?.item ?? insert(note.id);
  shown.set(note.id, { version: note.version, item });
  fill(item, note);
}

function insert(id) {
  const item = $('#note-template').content.firstElementChild.cloneNode(true);
  item.dataset.id = id;
  item.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault();
    void save(id, event.target);
  });
  item.querySelector('[name=delete]').addEventListener('click', () => void remove(id));
  const older = [...list.children].find((other) => Number(other.dataset.id) < id);
  list.insertBefore(item, older ?? null);
  return item;
}

function fill(item, note) {
  const form = item.querySelector('form');
  for (const field of [form.elements.title, form.elements.body]) {
    // The default is what is stored. What the reader has typed over it and not saved yet is not overwritten.
    const edited = field.value !== field.defaultValue;
    field.defaultValue = note[field.name];
    if (!edited) field.value = field.defaultValue;
  }
  const time = item.querySelector('time');
  time.dateTime = note.updatedAt;
  time.textContent = new Date(note.updatedAt).toLocaleString();
}

function hide({ id }) {
  deleted.add(id);
  shown.get(id)?.item.remove();
  shown.delete(id);
}

async function save(id, form) {
  const note = await call('PATCH', `/api/notes/${id}`, fieldsOf(form));
  if (!note) return;
  show(note);
  form.reset();
}

async function remove(id) {
  if ((await call('DELETE', `/api/notes/${id}`)) !== undefined) hide({ id });
}

function fieldsOf(form) {
  return { title: form.elements.title.value, body: form.elements.body.value };
}

$('#compose').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  const note = await call('POST', '/api/notes', fieldsOf(form));
  if (!note) return;
  show(note);
  form.reset();
  form.elements.title.focus();
});

const PAGE = 50;

async function load(before) {
  const notes = await call('GET', `/api/notes?limit=${PAGE}${before ? `&before=${before}` : ''}`);
  notes?.forEach(show);
  if (notes) $('#more').hidden = notes.length < PAGE;
  return notes;
}

/** After time without a connection: what is no longer there was deleted meanwhile. */
async function reload() {
  const known = [...shown.keys()];
  const notes = await load();
  if (!notes) return;
  const oldest = notes.length < PAGE ? 0 : notes.at(-1).id;
  const present = new Set(notes.map((note) => note.id));
  for (const id of known) if (id >= oldest && !present.has(id)) hide({ id });
}

$('#more').addEventListener('click', () => void load(Math.min(...shown.keys())));

function connect() {
  const status = $('#connection');
  const socket = globalThis.io();
  const state = (live) => {
    status.textContent = live ? 'live' : 'connecting';
    status.toggleAttribute('data-live', live);
  };
  socket.on('connect', () => {
    state(true);
    // Listening first and reading after it leaves no gap.
    void reload();
  });
  socket.on('disconnect', (reason) => {
    state(false);
    // The one case in which the client does not come back by itself.
    if (reason === 'io server disconnect') socket.connect();
  });
  socket.on('note:created', show);
  socket.on('note:updated', show);
  socket.on('note:deleted', hide);
}

async function greet() {
  const [info, who] = await Promise.all([call('GET', '/api/info'), call('GET', '/api/whoami')]);
  if (info) document.title = $('#title').textContent = info.title;
  const name = who?.name ?? who?.email;
  if (name) $('#greeting').textContent = `Hello, ${decode(name)}`;
}

/** Proxies percent-encode what a header cannot carry. */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

connect();
void greet();
void showFiles($('#files'), $('#file-template'), $('#upload'));
