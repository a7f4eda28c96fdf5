// Makes the server's pages live. Owns no state the server does not have and no text: what it shows
// was rendered there. Every form works without it.
(() => {
  'use strict';
  const doc = document;
  const byId = (id) => doc.getElementById(id);
  const touched = new WeakSet(); // fields a person has changed and not yet sent

  // --- times: absolute from the server, relative here ---------------------------------------
  const relative = new Intl.RelativeTimeFormat(doc.documentElement.lang, { numeric: 'auto', style: 'short' });
  const units = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
  function tellTimes(within) {
    for (const time of within.querySelectorAll('time[data-ago]')) {
      const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
      // A clock of this device that runs behind must not say "in 3 seconds"; old times stay dates.
      if (!(seconds > -7 * 86400 && seconds < 300)) continue;
      const age = Math.min(0, seconds);
      const [unit, size] = units.find(([, size]) => -age >= size) || units[3];
      const words = relative.format(Math.ceil(age / size), unit);
      if (time.textContent !== words) time.textContent = words;
    }
  }
  setInterval(() => doc.hidden || tellTimes(doc), 5000);

  // --- taking over what the server rendered anew, without disturbing the person ---------------
  const isField = (el) => el.matches('input:not([type=hidden]), select, textarea');
  const held = (el) => touched.has(el) || (el === doc.activeElement && el.matches('select'));

  function morph(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || (from.id || '') !== (to.id || '')) {
      from.replaceWith(to);
      return;
    }
    if (from.nodeType !== 1) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    const field = isField(from);
    if (field && held(from)) return;
    // What was told is not taken back by a page that has nothing to tell.
    if (from.matches('.told') && !to.textContent) return;
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !(name === 'open' && from.matches('details'))) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    if (from.nodeName === 'TEMPLATE') return;
    // A value under the finger keeps its text; everything else follows the server.
    if (from.nodeName === 'OUTPUT' && touched.has(from.form && from.form.elements.value)) return;
    morphChildren(from, to);
    if (field && from.value !== to.value) from.value = to.value;
  }

  function morphChildren(from, to) {
    const keyed = new Map();
    for (const child of from.children) if (child.id) keyed.set(child.id, child);
    let place = from.firstChild;
    for (const next of [...to.childNodes]) {
      const known = next.id && keyed.get(next.id);
      if (known) {
        if (known === place) place = place.nextSibling;
        else from.insertBefore(known, place);
        morph(known, next);
      } else if (place && !(place.id && to.querySelector(':scope > #' + CSS.escape(place.id))) && place.nodeName === next.nodeName && !place.id && !next.id) {
        const after = place.nextSibling;
        morph(place, next);
        place = after;
      } else {
        from.insertBefore(next, place);
      }
    }
    while (place) {
      const after = place.nextSibling;
      place.remove();
      place = after;
    }
  }

  function parse(html) {
    const template = doc.createElement('template');
    template.innerHTML = html;
    return template.content;
  }

  // Every element with an id replaces its namesake; what the page does not show is left out.
  function swap(html) {
    for (const fresh of [...parse(html).children]) {
      const old = byId(fresh.id);
      if (!old) continue;
      release(fresh);
      morph(old, fresh);
      const now = byId(fresh.id);
      if (now) { tellTimes(now); announce(now); }
    }
  }

  // A field that was sent follows the server again once its command is over.
  const sent = new Map(); // entity id -> field
  function release(fresh) {
    for (const [id, field] of sent) {
      const entity = fresh.id === id ? fresh : fresh.querySelector('#' + CSS.escape(id));
      if (entity && !entity.hasAttribute('data-pending')) {
        touched.delete(field);
        sent.delete(id);
      }
    }
  }

  // --- saying how an own command ended --------------------------------------------------------
  const waiting = new Set(); // entity ids whose end is still to be said
  function announce(within) {
    for (const id of waiting) {
      const entity = byId(id);
      if (!entity || !within.contains(entity) || entity.hasAttribute('data-pending')) continue;
      waiting.delete(id);
      const parts = ['.state', '.outcome > span'].map((part) => entity.querySelector(part)?.textContent.trim());
      byId('announcer').textContent = [entity.dataset.name, ...parts].filter(Boolean).join(': ');
    }
  }

  // --- notices --------------------------------------------------------------------------------
  let toastTimer;
  function toast(html) {
    const place = byId('toast');
    if (!place) return;
    const box = doc.createElement('div');
    box.append(parse(html));
    const close = doc.createElement('button');
    close.type = 'button';
    close.textContent = place.dataset.dismiss;
    close.onclick = () => place.replaceChildren();
    box.append(close);
    place.replaceChildren(box);
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => place.replaceChildren(), 12000);
  }

  function lost(yes) {
    const place = byId('connection');
    if (!place || doc.body.classList.contains('lost') === yes) return;
    doc.body.classList.toggle('lost', yes);
    const banner = place.querySelector('.banner');
    if (banner) banner.remove();
    if (yes) place.append(place.querySelector('template').content.cloneNode(true));
  }

  // --- forms ----------------------------------------------------------------------------------
  doc.addEventListener('submit', async (event) => {
    const form = event.target;
    if (event.submitter?.hasAttribute('data-part')) { event.preventDefault(); return part(form, event.submitter.value); }
    if (!form.hasAttribute('data-fetch')) return;
    event.preventDefault();
    if (form.ariaBusy === 'true') return;
    const data = new URLSearchParams(new FormData(form));
    const button = event.submitter;
    if (button && button.name) data.set(button.name, button.value);
    const entity = form.closest('.entity');
    const field = form.querySelector('input:not([type=hidden]), select');
    if (entity) {
      waiting.add(entity.id);
      if (field) sent.set(entity.id, field);
    }
    form.setAttribute('aria-busy', 'true');
    try {
      // `form.action` would be the button of that name.
      const answer = await fetch(form.getAttribute('action'), { method: 'POST', body: data, headers: { 'X-Fragment': '1' } });
      if (answer.status === 401 || answer.redirected) return location.reload();
      const html = await answer.text();
      if (answer.ok) swap(html);
      else fail(entity, field, html);
    } catch {
      fail(entity, field, byId('not-sent').innerHTML);
    } finally {
      form.removeAttribute('aria-busy');
    }
  });

  // --- a part of a form that the server renders anew from what is typed: the test bench ----------
  let typedAt = 0, partBusy = false;
  async function part(form, task) {
    if (partBusy && task === 'look') return;
    while (partBusy) await new Promise((done) => setTimeout(done, 50));
    partBusy = true;
    try {
      const data = new URLSearchParams(new FormData(form));
      data.set('do', task);
      const answer = await fetch(form.getAttribute('action'), { method: 'POST', body: data, headers: { 'X-Fragment': '1' }, signal: AbortSignal.timeout(8000) });
      if (answer.ok && !answer.redirected) swap(await answer.text());
      else if (task !== 'look') toast(await answer.text());
    } catch {
      if (task !== 'look') toast(byId('not-sent').innerHTML);
    } finally {
      partBusy = false;
    }
  }
  setInterval(() => {
    // Not while somebody types: half a topic is none.
    const form = doc.querySelector('[data-poll]')?.closest('form');
    if (form && !doc.hidden && Date.now() - typedAt > 900) part(form, 'look');
  }, 1000);
  // ...and the preview of a schedule: drawn anew once the hand rests.
  let looking;
  doc.addEventListener('input', (event) => {
    const form = event.target.form;
    if (!form?.hasAttribute('data-look')) return;
    clearTimeout(looking);
    looking = setTimeout(() => part(form, 'look'), 400);
  });

  function fail(entity, field, html) {
    if (entity) { waiting.delete(entity.id); sent.delete(entity.id); }
    if (field) {
      touched.delete(field);
      if (field.matches('[data-send]')) restore(field);
    }
    toast(html);
  }

  function restore(field) {
    if (field.options) for (const option of field.options) option.selected = option.defaultSelected;
    else field.value = field.defaultValue;
    tellValue(field);
  }

  function tellValue(field) {
    const output = field.type === 'range' && field.form?.querySelector('output');
    if (output) output.textContent = field.value + ' ' + field.dataset.unit;
  }

  const timers = new WeakMap();
  doc.addEventListener('input', (event) => {
    const field = event.target;
    if (!field.form) return;
    typedAt = Date.now();
    touched.add(field);
    tellValue(field);
  });
  doc.addEventListener('change', (event) => {
    const field = event.target;
    if (!field.matches('[data-send]')) return;
    // Arrow keys change step by step: wait until the hand rests.
    clearTimeout(timers.get(field));
    timers.set(field, setTimeout(() => field.form.requestSubmit(field.form.querySelector('button')), 300));
  });

  doc.addEventListener('click', async (event) => {
    const button = event.target.closest?.('[data-copy]');
    if (!button) return;
    const source = byId(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      const words = button.textContent;
      button.textContent = byId('announcer').textContent = button.dataset.done;
      setTimeout(() => { button.textContent = words; }, 2000);
    } catch {
      getSelection().selectAllChildren(source); // no clipboard without HTTPS: select it instead
    }
  });

  // --- the value under the pointer, and by arrow keys -------------------------------------------
  function read(reader) {
    const { from, for: length, zone, read } = reader.dataset;
    const share = reader.value / reader.max;
    const said = read.split('|').filter((entry) => parseInt(entry, 10) <= share * length / 1000).pop() || '';
    const time = new Intl.DateTimeFormat(doc.documentElement.lang, { timeZone: zone, dateStyle: 'medium', timeStyle: length < 1e7 ? 'medium' : 'short' });
    const words = [said.replace(/^\d+ /, ''), time.format(+from + share * length)].filter(Boolean).join(' · ');
    const chart = reader.parentElement;
    chart.classList.add('read');
    chart.querySelector('.cursor').setAttribute('transform', `translate(${share * 2880})`);
    reader.ariaValueText = chart.querySelector('.reading').textContent = words;
  }
  const onReader = (act) => (event) => { if (event.target.matches?.('.reader')) act(event.target, event); };
  const unread = onReader((reader) => {
    reader.parentElement.classList.remove('read');
    reader.parentElement.querySelector('.reading').textContent = '';
  });
  doc.addEventListener('input', onReader(read));
  doc.addEventListener('pointermove', onReader((reader, event) => {
    const box = reader.getBoundingClientRect();
    reader.value = (event.clientX - box.left) / box.width * reader.max;
    read(reader);
  }));
  doc.addEventListener('pointerout', unread);
  doc.addEventListener('focusout', unread);

  const guess = doc.querySelector('[data-guess-zone] select');
  if (guess && !guess.value) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const city = zone && [...guess.options].find((option) => option.value === zone || option.dataset.also === zone);
    if (city) city.selected = true;
  }

  tellTimes(doc);

  // --- the live stream ------------------------------------------------------------------------
  const live = () => doc.body.dataset.live;
  if (!live()) return;
  const STREAMS = 3; // browsers allow six connections a host on HTTP/1.1: pages and forms need some
  const HIDDEN_MS = 30000, SILENT_MS = 40000, PARKED_MS = 10000, LONGEST_MS = 30000;
  const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('iothome-live') : null;
  const me = Math.random().toString(36).slice(2);
  let stream, cursor, tries = 0, heard = 0, retry, hiding, parked, newer = new Set(), askAgain = false;

  function address() {
    const url = new URL(live(), location.href);
    if (cursor) url.searchParams.set('after', cursor);
    return url.pathname + url.search;
  }

  function open() {
    clearTimeout(retry);
    clearInterval(parked);
    if (stream || doc.hidden) return;
    newer = new Set();
    tabs?.postMessage(me);
    heard = Date.now();
    stream = new EventSource(address());
    const listen = (name, act) => stream.addEventListener(name, (event) => {
      heard = Date.now();
      if (event.lastEventId) cursor = event.lastEventId;
      act(event.data);
    });
    listen('hello', () => { tries = 0; lost(false); });
    listen('beat', () => {});
    listen('card', swap);
    listen('command', prepend);
    listen('resync', () => { if (asking) askAgain = true; else resync().catch(again); });
    listen('ended', () => location.reload());
    stream.onerror = again;
  }

  function close() {
    stream?.close();
    stream = null;
  }

  // The stream broke: fetch the page anew (which also renews the session), then listen again.
  function again() {
    close();
    clearTimeout(retry);
    const pause = Math.min(LONGEST_MS, 500 * 2 ** tries) * (0.5 + Math.random() / 2);
    tries += 1;
    if (tries > 1) lost(true);
    retry = setTimeout(async () => {
      try {
        if (await resync()) open();
      } catch {
        again();
      }
    }, pause);
  }

  // Asks for the page as it is now and takes it over, at most once a second however often the house
  // changes. False if the page is another one by now.
  let asking;
  function resync() {
    asking ||= load().finally(() => setTimeout(() => { asking = null; if (askAgain) { askAgain = false; resync().catch(again); } }, 1000));
    return asking;
  }

  async function load() {
    const answer = await fetch(location.href, { headers: { 'X-Fragment': 'page' }, cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
      location.assign(answer.url);
      return false;
    }
    if (answer.status >= 500) throw answer.status;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const script = fresh.querySelector('script[src]');
    if (!answer.ok || script?.src !== doc.querySelector('script[src]').src) {
      location.reload(); // gone, or the hub was renewed
      return false;
    }
    for (const id of ['nav', 'house-notice', 'content']) {
      const [old, now] = [byId(id), fresh.getElementById(id)];
      if (!old || !now) continue;
      release(now);
      morph(old, now);
    }
    doc.title = fresh.title;
    doc.body.dataset.live = fresh.body.dataset.live;
    cursor = null;
    tellTimes(doc);
    announce(doc);
    lost(false);
    return true;
  }

  function prepend(html) {
    const list = byId('commands');
    if (!list) return;
    for (const item of [...parse(html).children]) {
      const old = byId(item.id);
      if (old) morph(old, item);
      else list.prepend(item);
      while (list.children.length > (list.dataset.max || 50)) list.lastElementChild.remove();
    }
    tellTimes(list);
  }

  // Others that opened a stream after this page have the better claim: look in from time to time.
  if (tabs) tabs.onmessage = ({ data }) => {
    if (!stream || data === me) return;
    newer.add(data);
    if (doc.hidden) close();
    else if (newer.size >= STREAMS) {
      close();
      parked = setInterval(() => doc.hidden || resync().catch(() => lost(true)), PARKED_MS);
    }
  };

  function show() {
    clearTimeout(hiding);
    if (!stream && !doc.hidden) { tries = 0; clearTimeout(retry); resync().then((same) => same && open()).catch(again); }
  }
  doc.addEventListener('visibilitychange', () => {
    if (doc.hidden) hiding = setTimeout(close, HIDDEN_MS);
    else show();
  });
  addEventListener('focus', () => { if (!stream) show(); });
  addEventListener('online', () => { close(); show(); });
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => { if (event.persisted) show(); });
  setInterval(() => {
    // Asleep, or a connection that died without a word.
    if (stream && Date.now() - heard > SILENT_MS) { tries = 1; again(); }
  }, 5000);
  // Recorded values are not streamed: charts follow once a minute.
  setInterval(() => { if (stream && byId('values')) resync().catch(again); }, 60000);
  // What schedules do is not streamed either.
  setInterval(() => { if (stream && doc.querySelector('[data-fresh]')) resync().catch(again); }, 5000);
  open();
})();
