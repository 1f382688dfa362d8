/** What apps see of the machine's /etc: names, certificates' list and the linker's files, never accounts or settings of services. */
export const shownEtc: readonly string[] = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'protocols',
  'python3',
  'services',
  'timezone',
];
