// passkey.js makes passkeys, signs in with them, and proves by them once more who
// does something dangerous. Pages work without it: what
// it serves stays hidden or says that it takes a script.
(() => {
  "use strict";
  const words = document.currentScript.dataset;
  const add = document.getElementById("passkey-add"), enter = document.getElementById("passkey-in");

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const ask = async (path, body) => {
    const r = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const kind = r.headers.get("Content-Type") || "";
    if (r.redirected || !kind.includes("json")) {
      location.reload(); // signed out meanwhile
      return new Promise(() => {});
    }
    const got = await r.json();
    if (!r.ok) throw new Said(got.problem);
    return got;
  };
  class Said extends Error {} // by the server, in the person's words

  const made = (c) => ({
    id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(),
    authenticatorAttachment: c.authenticatorAttachment || undefined,
  });

  // serve has form do act when it is sent, and tells what went wrong.
  const serve = (form, act) => {
    const button = form.querySelector("button"), problem = form.querySelector(".problem");
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      problem.hidden = true;
      button.disabled = true;
      try {
        location.assign((await act(form.dataset)).to);
      } catch (err) {
        problem.textContent = err instanceof Said ? err.message : words.failed;
        problem.hidden = false;
        button.disabled = false;
      }
    });
    return button;
  };

  const able = !!(window.PublicKeyCredential && navigator.credentials);
  if (add && !able) {
    const problem = add.querySelector(".problem");
    problem.textContent = words.old;
    problem.hidden = false;
  } else if (add) {
    serve(add, async (at) => {
      const { options, state } = await ask(at.begin, {});
      const c = await navigator.credentials.create({ publicKey: {
        ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: ids(options.excludeCredentials),
      } });
      const response = { clientDataJSON: text(c.response.clientDataJSON), attestationObject: text(c.response.attestationObject) };
      if (c.response.getTransports) response.transports = c.response.getTransports();
      return ask(at.end, { state, name: add.elements.name.value, response: { ...made(c), response } });
    }).disabled = false;
  }
  // shown has the browser ask for a passkey, and returns what it answered.
  const shown = async (options) => {
    const c = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge), allowCredentials: ids(options.allowCredentials),
    } });
    const r = c.response, response = {
      clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature),
    };
    if (r.userHandle) response.userHandle = text(r.userHandle);
    return { ...made(c), response };
  };
  if (enter && able) {
    serve(enter, async (at) => {
      const { options, state } = await ask(at.begin, { ticket: at.ticket });
      return ask(at.end, { state, next: at.next, response: await shown(options) });
    });
    enter.hidden = false;
  }
  // A proof goes with the form that asks for it, in place of the password.
  for (const box of able ? document.querySelectorAll(".passkey-sure") : []) {
    const button = box.querySelector("button"), problem = box.querySelector(".problem");
    const form = box.closest("form"), password = form.elements.password;
    button.addEventListener("click", async () => {
      problem.hidden = true;
      password.required = false;
      if (!form.reportValidity()) return void (password.required = true);
      button.disabled = true;
      try {
        const { options, state } = await ask(box.dataset.begin, {});
        const proof = document.createElement("input");
        proof.type = "hidden";
        proof.name = "passkey";
        proof.value = JSON.stringify({ state, response: await shown(options) });
        password.value = "";
        form.append(proof);
        form.submit();
      } catch (err) {
        problem.textContent = err instanceof Said ? err.message : words.failed;
        problem.hidden = false;
        password.required = true;
        button.disabled = false;
      }
    });
    box.hidden = false;
  }
})();
