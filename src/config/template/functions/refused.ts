const RANDOM = 'it gives another value at every reading, so the configuration would never be the same';
const CLOCK = 'it depends on the time of reading';
const SECRET = 'secrets are not made in templates; write them into a file or the environment';

/** Functions of sprig that are known and refused, with the reason. */
export const REFUSED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['randAlphaNum', 'randAlpha', 'randAscii', 'randNumeric', 'randInt', 'randBytes', 'shuffle', 'uuidv4'].map((name) => [name, RANDOM]),
  ),
  ...Object.fromEntries(
    [
      'now',
      'ago',
      'date',
      'date_in_zone',
      'dateInZone',
      'date_modify',
      'dateModify',
      'must_date_modify',
      'mustDateModify',
      'duration',
      'durationRound',
      'htmlDate',
      'htmlDateInZone',
      'toDate',
      'mustToDate',
      'unixEpoch',
    ].map((name) => [name, CLOCK]),
  ),
  ...Object.fromEntries(
    [
      'bcrypt',
      'htpasswd',
      'derivePassword',
      'encryptAES',
      'decryptAES',
      'genPrivateKey',
      'genCA',
      'genCAWithKey',
      'genSelfSignedCert',
      'genSelfSignedCertWithKey',
      'genSignedCert',
      'genSignedCertWithKey',
      'buildCustomCert',
    ].map((name) => [name, SECRET]),
  ),
  getHostByName: 'configuration must not wait for name servers; write the name itself',
  ...Object.fromEntries(
    ['osBase', 'osClean', 'osDir', 'osExt', 'osIsAbs'].map((name) => [name, `write ${name[2]!.toLowerCase()}${name.slice(3)}`]),
  ),
  ...Object.fromEntries(
    ['abbrevboth', 'wrap', 'wrapWith', 'camelcase', 'semver', 'semverCompare', 'urlParse', 'urlJoin', 'call', 'js'].map((name) => [
      name,
      'nobody implements it yet',
    ]),
  ),
};
