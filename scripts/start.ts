import { run } from '../src/cli/dev.ts';
import { processIo } from '../src/cli/io.ts';

/** `npm start` is `edgeway dev` in a clone. */
process.exitCode = await run(process.argv.slice(2), processIo());
