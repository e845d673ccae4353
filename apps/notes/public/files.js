import { call, formatSize } from './api.js';

/** Lists the attachments in `list`, and sends what is chosen in `input`. */
export async function showFiles(list, template, input) {
  const refresh = async () => {
    const files = await call('GET', '/api/files');
    if (files) list.replaceChildren(...files.map((file) => entry(file, template, refresh)));
  };
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (file && (await call('PUT', pathOf(file.name), file)) !== undefined) await refresh();
    input.value = '';
  });
  await refresh();
}

function entry(file, template, refresh) {
  const item = template.content.firstElementChild.cloneNode(true);
  const link = item.querySelector('a');
  link.href = pathOf(file.name);
  link.textContent = file.name;
  item.querySelector('span').textContent = formatSize(file.size);
  item.querySelector('[name=delete]').addEventListener('click', async () => {
    if ((await call('DELETE', pathOf(file.name))) !== undefined) await refresh();
  });
  return item;
}

function pathOf(name) {
  return `/api/files/${encodeURIComponent(name)}`;
}
