import { type ConsulSettings, startConsul } from './consul.ts';
import { SCENES, TOKENS } from './consul-scenes.ts';
import { createTape, type Exchange, type Recording } from './consul-tape.ts';

/** Plays every scene, each of the two kinds of servers from its start. */
export async function playScenes(settings: ConsulSettings): Promise<Recording['scenes']> {
  const played: Record<string, readonly Exchange[]> = {};
  for (const withTokens of [false, true]) {
    const server = await startConsul({ ...settings, ...(withTokens && { tokens: TOKENS }) });
    try {
      for (const [name, scene] of Object.entries(SCENES)) {
        if ((scene.withTokens === true) !== withTokens) continue;
        const tape = createTape(server.port);
        await scene.play(tape, name);
        played[name] = await tape.exchanges();
        tape.close();
      }
    } finally {
      await server.stop();
      server.remove();
    }
  }
  return played;
}
