/** Variables of a template by name; a later one hides an earlier one of the same name until its block ends. */
export interface Scope<T> {
  find(name: string): T | undefined;
  add(name: string, variable: T): void;
  /** Forgets at its end what was added while it ran. */
  within<R>(run: () => R): R;
}

export function createScope<T>(): Scope<T> {
  const order: string[] = [];
  const byName = new Map<string, T[]>();
  return {
    find: (name) => byName.get(name)?.at(-1),
    add(name, variable) {
      order.push(name);
      const stack = byName.get(name);
      if (stack === undefined) byName.set(name, [variable]);
      else stack.push(variable);
    },
    within(run) {
      const before = order.length;
      const result = run();
      while (order.length > before) byName.get(order.pop()!)!.pop();
      return result;
    },
  };
}
