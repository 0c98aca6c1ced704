import { providerOf } from '../names.ts';

/** An object and whose it is. */
export interface Named {
  readonly name: string;
  readonly provider: string;
}

/** Unlike in references, an `@` in the name of a definition is a letter like any other. */
export const keyOf = ({ name, provider }: Named): string => `${name}@${provider}`;

/** The qualified name that `owner` means. As in Traefik, the definition `r@x` of a file looks in provider x. */
export function reference(name: string, owner: Named): string {
  if (name.includes('@')) return name;
  return `${name}@${owner.name.includes('@') ? providerOf(keyOf(owner)) : owner.provider}`;
}
