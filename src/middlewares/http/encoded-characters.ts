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
});
