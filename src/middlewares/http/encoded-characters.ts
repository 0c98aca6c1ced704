import { textResponse } from '../../base/body.ts';
import { boolean, object } from '../../base/schema.ts';
import { defineMiddleware } from '../middleware.ts';

export const encodedCharacters = defineMiddleware({
  kind: 'encodedCharacters',
  summary: 'Refuses paths with escaped characters that servers read differently.',
  options: object(
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
  ),
  edge: true,
  create(options) {
    const refused = [
      options.allowEncodedSlash ? '' : '2[Ff]',
      options.allowEncodedBackSlash ? '' : '5[Cc]',
      options.allowEncodedNullCharacter ? '' : '00',
      options.allowEncodedSemicolon ? '' : '3[Bb]',
      options.allowEncodedPercent ? '' : '25',
      options.allowEncodedQuestionMark ? '' : '3[Ff]',
      options.allowEncodedHash ? '' : '23',
    ].filter((hex) => hex !== '');
    if (refused.length === 0) return (request, next) => next(request);
    // An escape that is cut off is refused too.
    const expression = new RegExp(`%(?:${refused.join('|')}|.?$)`);
    return async (request, next) => (expression.test(request.path) ? textResponse(400, '') : next(request));
  },
});
