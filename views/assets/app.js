// Makes the server's pages live. Owns no state the server does not have and no text: what it shows
// was rendered there. Every form works without it.
(() => {
  'use strict';
  // An older browser gets the plain pages, which lack nothing.
  if (!AbortSignal.timeout || !('EventSource' in window)) return;
  const doc = document, root = doc.documentElement;
  const lang = root.lang === 'en' ? 'en-GB' : root.lang; // dates as the server writes them
  const byId = (id) => doc.getElementById(id);
  // `form.id` would be a field of that name.
  const key = (node) => (node.getAttribute && node.getAttribute('id')) || '';
  const touched = new Set(); // fields a person has changed and not yet sent
  const late = new Map(); // field under the cursor -> what the server says of it by now

  // --- times: absolute from the server, relative here ---------------------------------------
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto', style: 'short' });
  const units = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
  function tellTimes(within) {
    for (const time of within.querySelectorAll('time[data-ago]')) {
      const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
      // A clock of this device that runs behind must not say "in 3 seconds"; old times stay dates.
      if (!(seconds > -7 * 86400 && seconds < 300)) continue;
      const age = Math.min(0, seconds);
      const [unit, size] = units.find(([, size]) => -age >= size) || units[3];
      const words = relative.format(Math.ceil(age / size), unit);
      // The text node stays, and with it a selection around it.
      if (time.firstChild && time.textContent !== words) time.firstChild.data = words;
    }
  }
  setInterval(() => doc.hidden || tellTimes(doc), 5000);

  // --- taking over what the server rendered anew, without disturbing the person ---------------
  const isField = (el) => el.matches('input:not([type=hidden]), select, textarea');
  const typing = (el) => el === doc.activeElement && el.matches(':not([type=range], [type=checkbox], [type=radio])');
  const held = (el) => touched.has(el) || typing(el);

  function morph(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || key(from) !== key(to)) {
      from.replaceWith(to);
      return;
    }
    if (from.nodeType !== 1) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.nodeName === 'TEMPLATE') {
      if (from.innerHTML !== to.innerHTML) from.innerHTML = to.innerHTML;
      return;
    }
    const field = isField(from);
    if (field && held(from)) {
      late.set(from, to);
      return;
    }
    // What was told is not taken back by a page that has nothing to tell.
    if (from.matches('.told, #told') && !to.textContent) return;
    // A chart that is being read stays as it is.
    if (from.matches('.chart.read')) return;
    // Whether details are open is the person's matter; a heading with the focus keeps it.
    const own = (name) => name === 'open' ? from.nodeName === 'DETAILS' : name === 'tabindex' && from === doc.activeElement;
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !own(name)) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value && !own(name)) from.setAttribute(name, value);
    }
    // A value under the finger keeps its text; everything else follows the server.
    if (from.nodeName === 'OUTPUT' && from.form && touched.has(from.form.elements.value)) return;
    morphChildren(from, to);
    if (field) {
      if (from.value !== to.value) from.value = to.value;
      if (from.checked !== to.checked) from.checked = to.checked;
    }
  }

  const alike = (one, other) => one.nodeName === other.nodeName && !key(one) && !key(other)
    && (one.nodeType !== 1 || one.classList[0] === other.classList[0]);

  function morphChildren(from, to) {
    const known = new Map(), wanted = new Set();
    for (const child of from.children) if (key(child)) known.set(key(child), child);
    for (const child of to.children) if (key(child)) wanted.add(key(child));
    let place = from.firstChild;
    const drop = () => {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    };
    for (const next of [...to.childNodes]) {
      const old = known.get(key(next));
      while (place && place !== old && key(place) && !wanted.has(key(place))) drop();
      if (old) {
        if (old === place) place = place.nextSibling;
        else if (from.moveBefore) from.moveBefore(old, place); // keeps focus and scroll
        else from.insertBefore(old, place);
        morph(old, next);
      } else if (place && alike(place, next)) {
        const after = place.nextSibling;
        morph(place, next);
        place = after;
      } else {
        from.insertBefore(next, place);
      }
    }
    while (place) drop();
  }

  // Changes the page; focus stays where it was, or goes to what stands in its place.
  function change(act) {
    const active = doc.activeElement;
    const place = active && active !== doc.body && active.closest('[id]');
    const id = place && key(place);
    const around = [];
    for (let at = place; at; at = at.parentElement?.closest('[id]')) around.push(key(at));
    const entity = place && active.closest('.entity');
    const before = entity && stateOf(entity), own = waiting.has(id);
    act();
    for (const field of touched) if (!field.isConnected) touched.delete(field);
    if (!id) return;
    const now = byId(id);
    if (doc.activeElement !== active) {
      const near = now ? [now, ...now.querySelectorAll(active.nodeName)].filter((el) => el.nodeName === active.nodeName && el.name === active.name) : [];
      const heir = active.isConnected ? active : near.find((el) => el.value === active.value) || near[0] || (now && now.querySelector('a[href], button, input:not([type=hidden]), select, textarea')) || headOf(around.map(byId).find(Boolean));
      heir?.focus({ preventScroll: true });
    }
    // Who is here wants to know what others do to it.
    if (entity && now && !own && !now.hasAttribute('data-pending') && stateOf(now) !== before) say(told(now));
  }

  // Where the focus goes when what had it is gone: a heading near it.
  function headOf(part) {
    const head = part?.querySelector('h1, h2, h3') || part;
    if (head) head.tabIndex = -1;
    return head;
  }

  function parse(html) {
    const template = doc.createElement('template');
    template.innerHTML = html;
    tellTimes(template.content);
    return template.content;
  }

  let telling;
  // Every element with an id replaces its namesake; what the page does not show is left out.
  function swap(html) {
    change(() => {
      for (const fresh of [...parse(html).children]) {
        const old = byId(fresh.id);
        if (!old) continue;
        release(fresh);
        morph(old, fresh);
        const now = byId(fresh.id);
        if (now) announce(now);
        if (fresh.matches('.told')) {
          clearTimeout(telling);
          telling = setTimeout(() => doc.querySelectorAll('.told').forEach((told) => told.replaceChildren()), 30000);
        }
      }
    });
  }

  // A field that was sent follows the server again once its command is over.
  const sent = new Map(); // entity id -> field
  function release(fresh) {
    for (const [id, field] of sent) {
      const entity = fresh.id === id ? fresh : fresh.querySelector('#' + CSS.escape(id));
      if (entity && !entity.hasAttribute('data-pending') && !behind.has(field.form)) {
        touched.delete(field);
        sent.delete(id);
      }
    }
  }

  // --- saying politely how an own command ended ------------------------------------------------
  const waiting = new Set(); // entity ids whose end is still to be said
  const stateOf = (entity) => entity.querySelector('.state')?.textContent.trim();
  const told = (entity) => [entity.dataset.name, stateOf(entity), entity.querySelector('.outcome > span')?.textContent.trim()]
    .filter(Boolean).join(': ');
  function announce(within) {
    for (const id of waiting) {
      const entity = byId(id);
      if (!entity || !within.contains(entity) || entity.hasAttribute('data-pending')) continue;
      waiting.delete(id);
      say(told(entity));
    }
  }
  let saying, words = [];
  function say(what) {
    const place = byId('announcer');
    if (!place) return;
    words.push(what);
    place.textContent = ''; // the same words twice are two changes
    clearTimeout(saying);
    saying = setTimeout(() => {
      // Much at once would be noise.
      place.textContent = words.slice(-3).join('. ');
      words = [];
    }, 100);
  }

  // --- notices --------------------------------------------------------------------------------
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
  }
  doc.addEventListener('keydown', (event) => { if (event.key === 'Escape') byId('toast')?.replaceChildren(); });

  let noticed = ''; // '', 'lost' or 'ended'
  function notice(what) {
    const place = byId('connection');
    if (!place || noticed === what || (noticed === 'ended' && what === 'lost')) return;
    if (!what) say(byId('announcer').dataset.back);
    noticed = what;
    doc.body.classList.toggle('lost', what !== '');
    place.replaceChildren(what ? byId('when-' + what).content.cloneNode(true) : '');
  }

  // Two in a row: one may be chance.
  let missed = 0;
  const miss = () => { if ((missed += 1) > 1) notice('lost'); };
  const met = () => { missed = 0; if (noticed === 'lost') notice(''); };

  // --- forms ----------------------------------------------------------------------------------
  // Something typed that only this page knows.
  const dirty = () => [...touched].some((el) => el.isConnected && el.value !== el.defaultValue
    && !el.matches('[data-send], [data-get] *, .reader'));
  const post = (form, body, ms) => fetch(form.getAttribute('action') || location.pathname, // `form.action` would be the button of that name
    { method: 'POST', body, headers: { 'X-Fragment': '1' }, signal: AbortSignal.timeout(ms) });
  const behind = new WeakSet(); // forms whose field was moved on while the last value was under way
  const busy = (form) => form.getAttribute('aria-busy') === 'true';

  doc.addEventListener('submit', (event) => {
    const form = event.target, button = event.submitter;
    const act = button?.hasAttribute('data-part') ? () => part(form, button.value)
      : form.hasAttribute('data-get') ? () => find(form)
      : form.hasAttribute('data-fetch') ? () => send(form, button)
      : busy(form) ? () => {} : null; // pressed twice
    if (act) {
      event.preventDefault();
      act();
    } else {
      form.setAttribute('aria-busy', 'true');
      // The person may have stopped it.
      setTimeout(() => form.removeAttribute('aria-busy'), 10000);
    }
  });

  async function send(form, button) {
    const field = form.querySelector('input:not([type=hidden]), select');
    if (busy(form)) {
      if (field) behind.add(form);
      return;
    }
    const data = new URLSearchParams(new FormData(form));
    if (button && button.name) data.set(button.name, button.value);
    const entity = form.closest('.entity');
    if (entity) {
      waiting.add(entity.id);
      if (field) {
        sent.set(entity.id, field);
        touched.add(field);
      }
    }
    form.setAttribute('aria-busy', 'true');
    byId('toast')?.replaceChildren();
    try {
      let answer = await post(form, data, 15000);
      if (answer.status === 403 && await resync()) {
        // Signed in anew in another tab: the form has the new session's token now.
        const token = form.elements.csrf?.value;
        if (token && token !== data.get('csrf')) {
          data.set('csrf', token);
          answer = await post(form, data, 15000);
        }
      }
      if (answer.ok && !answer.redirected) {
        swap(await answer.text());
      } else {
        fail(entity, field, answer.redirected ? '' : await answer.text());
        if (answer.status === 401 || answer.redirected) ended();
      }
    } catch {
      if (!leaving) {
        fail(entity, field, byId('not-sent').innerHTML);
        again();
      }
    } finally {
      form.removeAttribute('aria-busy');
      if (behind.delete(form) && form.isConnected) form.requestSubmit(button?.isConnected ? button : form.querySelector('button'));
    }
  }

  // --- a part of a form that the server renders anew from what is typed: the test bench ----------
  let typedAt = 0, partBusy = false;
  async function part(form, task) {
    if (partBusy && task === 'look') return;
    while (partBusy) await new Promise((done) => setTimeout(done, 50));
    partBusy = true;
    try {
      const data = new URLSearchParams(new FormData(form));
      data.set('do', task);
      const answer = await post(form, data, 8000);
      if (answer.status < 500) met();
      if (answer.ok && !answer.redirected) swap(await answer.text());
      else if (task !== 'look') toast(await answer.text());
    } catch {
      miss();
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

  // --- a form that only asks: the page follows what is typed, and so does its address -------------
  let finding;
  function find(form) {
    clearTimeout(finding);
    const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    history.replaceState(null, '', location.pathname + (`${wanted}` && '?' + wanted));
    load().then((same) => { if (same) { close(); open(); } }, () => { notice('lost'); again(); });
  }

  function fail(entity, field, html) {
    if (entity) { waiting.delete(entity.id); sent.delete(entity.id); }
    if (field) {
      touched.delete(field);
      if (field.matches('[data-send]')) restore(field);
    }
    if (html) toast(html);
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
  // A finger that began on a slider and scrolls the page asks for nothing, whatever it moved.
  let scrolled;
  doc.addEventListener('pointercancel', ({ target }) => {
    if (!target.matches('[data-send][type=range]')) return;
    scrolled = target;
    fail(null, target);
  });
  for (const anew of ['pointerdown', 'keydown']) doc.addEventListener(anew, () => { scrolled = null; });
  doc.addEventListener('input', (event) => {
    const field = event.target;
    if (!field.form || field === scrolled) return;
    typedAt = Date.now();
    touched.add(field);
    tellValue(field);
    if (field.form.hasAttribute('data-get')) {
      clearTimeout(finding);
      finding = setTimeout(find, 250, field.form);
    }
  });
  doc.addEventListener('change', (event) => {
    const field = event.target;
    if (!field.matches('[data-send]')) return;
    if (field === scrolled) return restore(field);
    // Arrow keys change step by step: wait until the hand rests.
    clearTimeout(timers.get(field));
    timers.set(field, setTimeout(() => field.form?.requestSubmit(field.form.querySelector('button')), 300));
  });
  doc.addEventListener('focusout', ({ target }) => {
    const to = late.get(target);
    // After the browser has moved the focus on.
    if (late.delete(target)) setTimeout(() => target.isConnected && !held(target) && morph(target, to));
  });

  doc.addEventListener('click', async (event) => {
    const button = event.target.closest?.('[data-copy], [data-reveal]');
    if (!button) return;
    const source = byId(button.dataset.copy || button.dataset.reveal);
    if (button.dataset.reveal) {
      const shown = source.type === 'password';
      source.type = shown ? 'text' : 'password';
      button.setAttribute('aria-pressed', shown);
      return;
    }
    try {
      await navigator.clipboard.writeText(source.textContent);
      const label = button.querySelector('span') || button, before = label.textContent;
      say(label.textContent = button.dataset.done);
      setTimeout(() => { label.textContent = before; }, 2000);
    } catch {
      getSelection().selectAllChildren(source); // no clipboard without HTTPS: select it instead
    }
  });

  // --- the value under the pointer, and by arrow keys -------------------------------------------
  function read(reader) {
    const { from, for: length, zone, read } = reader.dataset;
    const share = reader.value / reader.max;
    const said = read.split('|').filter((entry) => parseInt(entry, 10) <= share * length / 1000).pop() || '';
    const time = new Intl.DateTimeFormat(lang, { timeZone: zone, dateStyle: 'medium', timeStyle: length < 1e7 ? 'medium' : 'short' });
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

  // --- asking for the page as it is now ---------------------------------------------------------
  let leaving = false, asking, askAgain = false, cursor, turns = 0;
  const mine = doc.querySelector('script[src]').src;

  // The session is over: what was typed stays, and goes on after a sign-in in another tab.
  function ended(address) {
    if (dirty()) return notice('ended');
    location.assign(address || byId('when-ended').content.querySelector('a').getAttribute('href')
      + '?next=' + encodeURIComponent(location.pathname + location.search));
  }

  // Takes the page over as it is now. False if it is another one by now; throws if it cannot be had.
  async function load() {
    const turn = ++turns;
    const answer = await fetch(location.href, { headers: { 'X-Fragment': 'page' }, cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname !== location.pathname)) {
      ended(answer.redirected && answer.url);
      if (noticed) throw answer.status;
      return false;
    }
    if (answer.status >= 500 || answer.status === 429) throw answer.status;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (turn !== turns) return true; // asked again meanwhile: that answer is newer
    const look = ({ lang, dataset }) => lang + dataset.theme;
    // Gone, or the hub was renewed, or the language is another: begin anew, unless that would lose something.
    if (!answer.ok) {
      location.replace(location.pathname + location.search);
      return false;
    }
    if ((fresh.querySelector('script[src]').src !== mine || look(fresh.documentElement) !== look(root)) && !dirty()) {
      location.reload();
      return false;
    }
    tellTimes(fresh);
    change(() => {
      for (const id of ['top', 'nav', 'house-notice', 'content']) {
        const old = byId(id), now = fresh.getElementById(id);
        if (!old || !now) continue;
        release(now);
        morph(old, now);
      }
    });
    doc.title = fresh.title;
    if (live()) doc.body.dataset.live = fresh.body.dataset.live || '';
    cursor = null;
    announce(doc);
    notice('');
    return true;
  }

  // At most once a second, however often the house changes.
  function resync() {
    asking ||= load().finally(() => setTimeout(() => {
      asking = null;
      if (askAgain) { askAgain = false; resync().catch(again); }
    }, 1000));
    return asking;
  }

  addEventListener('pagehide', () => { leaving = true; close(); });
  addEventListener('pageshow', (event) => {
    leaving = false;
    for (const form of doc.querySelectorAll('form[aria-busy]')) form.removeAttribute('aria-busy');
    if (event.persisted) show();
  });

  // --- the live stream ------------------------------------------------------------------------
  const STREAMS = 3; // browsers allow six connections a host on HTTP/1.1: pages and forms need some
  const HIDDEN_MS = 30000, SILENT_MS = 20000, PARKED_MS = 10000, LONGEST_MS = 30000;
  const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('iothome-live') : null;
  const me = Math.random().toString(36).slice(2);
  const live = () => doc.body.dataset.live;
  let stream, tries = 0, heard = 0, retry, hiding, parked;
  let newer = new Set(); // pages whose stream is younger than this one's: they have the better claim

  function address() {
    const url = new URL(live(), location.href);
    if (cursor) url.searchParams.set('after', cursor);
    return url.pathname + url.search;
  }

  function open() {
    clearTimeout(retry);
    clearInterval(parked);
    parked = null;
    if (stream || doc.hidden || !live()) return;
    newer = new Set();
    tabs?.postMessage([me, true]);
    heard = Date.now();
    stream = new EventSource(address());
    const listen = (name, act) => stream.addEventListener(name, (event) => {
      heard = Date.now();
      if (event.lastEventId) cursor = event.lastEventId;
      act(event.data);
    });
    listen('hello', () => { tries = 0; notice(''); });
    listen('beat', () => {});
    listen('card', swap);
    listen('command', prepend);
    listen('resync', () => { if (asking) askAgain = true; else resync().catch(again); });
    stream.onerror = again;
  }

  function close() {
    if (!stream) return;
    stream.close();
    stream = null;
    tabs?.postMessage([me, false]);
  }

  // The stream broke: fetch the page anew (which also renews the session), then listen again.
  function again() {
    if (!live()) return;
    close();
    clearTimeout(retry);
    const pause = Math.min(LONGEST_MS, 500 * 2 ** tries) * (0.5 + Math.random() / 2);
    tries += 1;
    if (tries > 1) notice('lost');
    retry = setTimeout(() => doc.hidden || reconnect(), pause);
  }

  const reconnect = () => resync().then((same) => same && open(), again);

  function show() {
    clearTimeout(hiding);
    if (stream || doc.hidden || !live()) return;
    tries = 0;
    clearTimeout(retry);
    reconnect();
  }

  function prepend(html) {
    const list = byId('commands');
    if (!list) return;
    change(() => {
      for (const item of [...parse(html).children]) {
        const old = byId(item.id);
        if (old) morph(old, item);
        else list.prepend(item);
        while (list.children.length > (list.dataset.max || 50)) list.lastElementChild.remove();
      }
    });
  }

  if (tabs) tabs.onmessage = ({ data: [id, opened] }) => {
    if (opened) newer.add(id);
    else newer.delete(id);
    if (stream && opened && (doc.hidden || newer.size >= STREAMS)) {
      close();
      // Without a stream this page looks in from time to time.
      if (!doc.hidden) parked = setInterval(() => doc.hidden || resync().catch(() => notice('lost')), PARKED_MS);
    } else if (parked && newer.size < STREAMS) {
      clearTimeout(retry);
      retry = setTimeout(show, 500 * Math.random());
    }
  };

  doc.addEventListener('visibilitychange', () => {
    if (doc.hidden) hiding = setTimeout(close, HIDDEN_MS);
    else show();
  });
  addEventListener('focus', show);
  addEventListener('online', () => { close(); show(); });
  setInterval(() => {
    // Asleep, or a connection that died without a word.
    if (stream && Date.now() - heard > SILENT_MS) {
      notice('lost');
      tries = 0;
      again();
    }
  }, 5000);
  // Where no stream tells it: whether the hub is there before something typed is sent to nowhere.
  setInterval(() => {
    if (live() || doc.hidden || !dirty()) return;
    fetch(mine, { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(8000) })
      .then(({ status }) => status < 500 ? met() : miss(), miss);
  }, 10000);
  // Recorded values are not streamed: charts follow once a minute.
  setInterval(() => { if (stream && byId('values')) resync().catch(again); }, 60000);
  // What schedules do is not streamed either.
  setInterval(() => { if (stream && doc.querySelector('[data-fresh]')) resync().catch(again); }, 5000);
  open();
})();
