"""What the tables say against what the ledger says.

The ledger's own verification (`portal.audit.verify`) shows that the entries are those that checkpoints signed. Here
everything that is kept beside the entries is held against them:

* **Rows**: each row of every table that tells what happened (`portal.audit.sealed_tables.SEALED`: people and their
  groups, offerings, requests, sealed plans, stages, decisions and their signatures, steps, entitlements, findings,
  reviews, passkeys, …) against the last seal that an entry set on it. All columns but the passing ones named there.
  Rows that no entry tells of, rows that are gone, and rows whose older state was put back are found alike.
* **Lists of seals** against the digest in each entry's text, so that no seal can be left out.
* **Personal values** that an entry commits to and that are gone, unless their erasure was sealed.
* **Stories**: what follows from the entries alone, whoever wrote the rows: references without a gap, each with its
  submission; the seal computed anew from the sealed document; decisions and their entries one to one; the text of an
  offering's version against the entry that published it; the answer to an artefact's digest.
* **Files** under the data folder: attachments, and evidence that was made, against their digests.

Not compared, with the reasons in `portal.audit.sealed_tables.UNSEALED`: what is only on its way (drafts, mail, tasks,
sign-in sessions), and what is worked out anew from the rest (search indexes, paces, the calendar of changes).
"""
