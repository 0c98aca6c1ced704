export const usage = `Usage: edgeway sync SOURCE … TARGET [options]           (TARGET is the URL of a store)
       edgeway sync SOURCE … --to TARGET [options]      (TARGET is the URL of a store, or edge)
       edgeway sync SOURCE … --to-file FILE [options]   (a file of key,value lines)
       edgeway sync export STORE [--to FILE|FOLDER] [--format yaml|toml|json|keys]
       edgeway sync status STORE
       edgeway sync abort STORE

Prints what would change in the target, and changes it with --apply. Sources are read as one: files of key,value lines, YAML, TOML
and JSON files, folders of them, compose and stack files (their labels), the URL of a store, and - for standard input.

A store is redis://, rediss://, redis+sentinel://, etcd://, zookeeper:// or consul://, as in
  redis://user:password@host:6379/0?rootKey=traefik
and its options behind the question mark are those of the provider. EDGEWAY_SYNC_TO is the target where none is named, so that
its password need not stand in a command line.

  --to TARGET               the target
  --to-file FILE            a key,value file as target; it is replaced at once, in the order of its keys
  --root NAME               first part of keys and labels in the sources, and in a file as target (default: traefik)
  --name NAME               under which the keys are owned, or this publisher is enrolled (default: sync)
  --apply                   carry the plan out
  --prune                   also remove what left the sources; in a store only what sync wrote under this name
  --allow-empty             with --prune: remove everything when the sources are empty
  --take-over               what others wrote or changed and the sources have becomes ours
  --watch                   go on, whenever a source or the store changes
  --keep-going              apply what is sound though something else is not (--watch does)
  --wait TIME, --no-wait    how long to wait for another sync that is writing (default: 60s)
  --static FILE             static configuration, for its entry points (and edge.entryPoints)
  --detailed-exit-code      3 when there is something to do that was not done

Roll-out from agent to agent (--apply is implied):
  --roll-out NAME,…|all     these agents take the new revision one after another, then everybody gets it
  --roll-out-pause TIME     how long an agent must have run it before the next takes it (default: 10s)
  --roll-out-limit TIME     how long an agent may need to take it (default: 60s)

To the edge (without an agent: servers must have public names, every chain must run at the edge):
  --hub URL                 control host of the Worker (or EDGEWAY_EDGE_HUB_URL)
  --code CODE               enrolment code, needed once (or EDGEWAY_EDGE_CODE); 'edgeway edge codes' makes one
  --state DIRECTORY         where the key pair is kept (default: ./edgeway-state)
  --entry-point NAME=SCHEME routers of this entry point are public, by http or https; may be repeated

Exit codes: 0 done, 1 something is wrong, 2 wrong usage, 3 see --detailed-exit-code.
`;
