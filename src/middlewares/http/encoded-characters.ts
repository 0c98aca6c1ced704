import { textResponse } from '../../base/body.ts';
import { boolean, type Infer, object } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

const options = object(
  {
    allowEncodedSlash: boolean('Lets %2F pass.'),
    allowEncodedBackSlash: boolean('Lets %5C pass.'),
    allowEncodedNullCharacter: boolean('Lets %00 pass.'),
    allowEncodedSemicolon: boolean('Lets %3B pass.'),
    allowEncodedPercent: boolean('Lets %25 pass.'),
    allowEncodedQuestionMark: boolean('Lets %3F pass.'),
    allowEncodedHash: boolean('Lets %23 pass.'),
  },
  'encodedCharacters',
);

export type EncodedCharacters = Infer<typeof options>;

export const encodedCharacters = defineMiddleware({
  kind: 'encodedCharacters',
  summary: 'Refuses paths with escaped characters that servers read differently.',
  options,
  edge: true,
  create(allowed) {
    const isRefused = createEncodedCharacterTest(allowed);
    if (isRefused === undefined) return (request, next) => next(request);
    return async (request, next) => (isRefused(request.path) ? textResponse(400, '') : next(request));
  },
});

/** Whether a path has an escape that is not allowed, or one that is cut off; undefined when all are allowed. */
export function createEncodedCharacterTest(allowed: EncodedCharacters): ((path: string) => boolean) | undefined {
  const refused = [
    allowed.allowEncodedSlash ? '' : '2[Ff]',
    allowed.allowEncodedBackSlash ? '' : '5[Cc]',
    allowed.allowEncodedNullCharacter ? '' : '00',
    allowed.allowEncodedSemicolon ? '' : '3[Bb]',
    allowed.allowEncodedPercent ? '' : '25',
    allowed.allowEncodedQuestionMark ? '' : '3[Ff]',
    allowed.allowEncodedHash ? '' : '23',
  ].filter((hex) => hex !== '');
  if (refused.length === 0) return undefined;
  const expression = new RegExp(`%(?:${refused.join('|')}|.?$)`);
  return (path) => path.includes('%') && expression.test(path);
}
