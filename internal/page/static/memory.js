// What a browser remembers: for this tab (the key), or longer (the zone). Where the reader forbids it, it lasts as long as the page.

function memory(of) {
  const own = new Map();
  const safely = (act, otherwise) => {
    try {
      return act(of());
    } catch {
      return otherwise();
    }
  };
  return {
    get: (name) => safely((s) => s.getItem(name), () => own.get(name) ?? null),
    set: (name, value) => safely((s) => s.setItem(name, value), () => own.set(name, value)),
    forget: (name) => safely((s) => s.removeItem(name), () => own.delete(name)),
  };
}

export const tab = memory(() => sessionStorage);
export const browser = memory(() => localStorage);
