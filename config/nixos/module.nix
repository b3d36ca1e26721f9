# Muster on NixOS: services.muster.jobs.<name>. docs/nixos.md shows how to use it.
#
# A job becomes
#   /etc/muster/<name>.yaml          its job file, which 'muster config check' has accepted while the system was built
#   muster-<name>.service, .timer    a whole run: dumps, set, archives, started by startAt
#   muster-dump-<name>.service       instead, if a job of services.borgbackup archives the set: the dumps, before that Borg
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkIf mkMerge mkOption types;

  cfg = config.services.muster;
  json = pkgs.formats.json { };

  dumpsOf = job: builtins.attrValues (job.settings.dumps or { });
  repositoriesOf = job: builtins.attrValues (job.settings.repositories or { });

  isWired = job: job.borgbackupJobs != [ ];
  hasRunUnit = job: repositoriesOf job != [ ] || !isWired job;
  isScheduled = job: hasRunUnit job && job.startAt != [ ];
  takesSnapshots = job: builtins.any (dump: (dump.snapshot or null) != null) (dumpsOf job);
  dumpsPostgreSQL = job: builtins.any (dump: (dump.provider or null) == "postgresql") (dumpsOf job);

  isLocal = repository: lib.hasPrefix "/" (repository.location or "");
  localRepositories = job: map (r: r.location) (builtins.filter isLocal (repositoriesOf job));

  # Every secret that a job file can name: { what; from; } with from = { file | command | credential }, or the path of a key.
  secretsOf =
    job:
    let
      of =
        kind: key: entries:
        lib.concatLists (
          lib.mapAttrsToList (
            name: entry:
            lib.optional ((entry.${key} or null) != null) {
              what = "${kind}.${name}.${key}";
              from = entry.${key};
            }
          ) entries
        );
      keys = lib.concatLists (
        lib.mapAttrsToList (
          name: entry:
          lib.optional ((entry.ssh.identity_file or null) != null) {
            what = "repositories.${name}.ssh.identity_file";
            from.file = entry.ssh.identity_file;
          }
        ) (job.settings.repositories or { })
      );
    in
    of "dumps" "password" (job.settings.dumps or { })
    ++ of "repositories" "passphrase" (job.settings.repositories or { })
    ++ keys;

  # A path literal such as ./secret would be copied to the store, which every user may read.
  isInStore = path: builtins.isPath path || lib.hasPrefix builtins.storeDir (toString path);

  # The job file. Its name is the job's, so that messages speak of <name>.yaml.
  # A build sees '/' as the property of an unknown user, and Muster refuses files that others could exchange: hence MUSTER_TRUST.
  jobFile =
    name: job:
    pkgs.runCommand "muster-${name}.yaml" { } ''
      cp ${json.generate "muster-${name}.json" job.settings} ./${name}.yaml
      MUSTER_TRUST=/ ${job.package}/bin/muster config check ./${name}.yaml
      cp ./${name}.yaml "$out"
    '';

  snapshotPrograms = [
    pkgs.btrfs-progs
    pkgs.lvm2
    pkgs.util-linux
  ]
  ++ lib.optional (config.boot.zfs.enabled or false) config.boot.zfs.package;

  programsOf =
    job:
    [
      job.package
      cfg.borgPackage
      pkgs.openssh
    ]
    ++ lib.optional (dumpsPostgreSQL job) job.postgresqlPackage
    ++ lib.optionals (takesSnapshots job) snapshotPrograms
    ++ job.extraPackages;

  # Borg's cache can be lost. Its keys (keyfile) and what it remembers of each repository cannot, hence two directories.
  # Each job has its own: systemd gives such a directory, and all that is in it, to the user of the unit.
  borgDirectory = name: "muster-borg/${name}";
  borgEnvironment = name: {
    BORG_BASE_DIR = "/var/lib/${borgDirectory name}";
    BORG_CACHE_DIR = "/var/cache/${borgDirectory name}";
  };

  # ProtectHome=yes shows homes as empty directories, which a dump would copy as such.
  needsHomes =
    job:
    let
      text = builtins.unsafeDiscardStringContext (builtins.toJSON job.settings);
      reads = builtins.match ''.*["= ]/(home|root|run/user)(["/ ].*)'' text != null;
      dumpsRoot = builtins.any (dump: (dump.path or null) == "/") (dumpsOf job);
    in
    reads || dumpsRoot;

  keyExports = job: builtins.filter (path: path != null) (map (r: r.key_export or null) (repositoriesOf job));

  # Nothing but the local server's socket: no network at all.
  isOffline =
    job:
    job.user != "root"
    && repositoriesOf job == [ ]
    && (job.settings.freeze or null) == null
    && builtins.all (dump: (dump.connection or "") == "" && (dump.password.command or null) == null) (dumpsOf job);

  hardening = job: {
    UMask = "0077";
    NoNewPrivileges = true;
    ProtectHome = if needsHomes job then "read-only" else true;
    PrivateTmp = true;
    PrivateMounts = true;
    PrivateNetwork = isOffline job;
    ProtectControlGroups = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelTunables = true;
    RestrictAddressFamilies = [ "AF_UNIX" ] ++ lib.optionals (!isOffline job) [
      "AF_INET"
      "AF_INET6"
    ];
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    LockPersonality = true;
    # Not for Borg: Python may want memory that it can both write and run.
    MemoryDenyWriteExecute = repositoriesOf job == [ ];
    # No RemoveIPC: at the end of a unit that runs as postgres it removes the shared memory of a server that systemd does not know
    # to run as postgres too. Seen on Debian: the server then refuses every connection.
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    ReadWritePaths = [
      job.settings.staging
    ]
    ++ localRepositories job
    ++ map (path: "-${dirOf path}") (keyExports job ++ lib.optional (job.settings ? report) job.settings.report.html);
  };

  # Swift's threads ask for priorities that they do not get here, and would log each refusal. Let the call do nothing, with success.
  quietPriority = "~setpriority:0";

  # Root reads what every user owns, gives copies back to their owners, and becomes the user in run_as. Others need no privilege.
  privileges =
    job:
    if job.user == "root" then
      {
        CapabilityBoundingSet = [
          "CAP_SETUID"
          "CAP_SETGID"
          "CAP_CHOWN"
          "CAP_FOWNER"
          "CAP_DAC_OVERRIDE"
        ]
        ++ lib.optionals (takesSnapshots job) [
          "CAP_SYS_ADMIN"
          "CAP_DAC_READ_SEARCH"
        ];
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
          "@setuid @chown"
          quietPriority
        ]
        ++ lib.optional (takesSnapshots job) "@mount";
        # Where snapshots are mounted. It stays when a unit ends: another job may be at work.
        RuntimeDirectory = "muster";
        RuntimeDirectoryMode = "0700";
        RuntimeDirectoryPreserve = true;
      }
    else
      {
        CapabilityBoundingSet = "";
        # Muster takes over what its programs wrote by chown, which without a privilege only ever confirms the owner.
        SystemCallFilter = [
          "@system-service"
          "~@privileged @resources"
          "@chown"
          quietPriority
        ];
      };

  # A snapshot is taken on its own file system and mounted, which takes CAP_SYS_ADMIN; LVM and ZFS work through devices, keep
  # their locks in /run, and may load a module. That undoes much of the hardening, so it is for jobs with 'snapshot:' only.
  # ProtectClock would close all devices but the clock.
  devices =
    job:
    if takesSnapshots job then
      {
        ProtectSystem = "full";
        PrivateDevices = false;
        ProtectClock = false;
        ProtectKernelModules = false;
        DeviceAllow = [
          "block-* rw"
          "char-misc rw"
          "char-zfs rw"
        ];
      }
    else
      {
        ProtectSystem = "strict";
        PrivateDevices = true;
        ProtectClock = true;
        ProtectKernelModules = true;
      };

  # What both kinds of unit have in common.
  unit = name: job: {
    documentation = [ "man:muster(1)" ];
    # Only 'after': a requirement would stop the dump, and with it Borg, whenever the server is restarted.
    after = [
      "network-online.target"
      "postgresql.service"
      "postgresql.target"
    ];
    wants = [ "network-online.target" ];
    inherit (job) onFailure;
    unitConfig.RequiresMountsFor = [ job.settings.staging ] ++ localRepositories job;
    path = programsOf job;
    environment = borgEnvironment name;
    # A switch in the middle of a backup must not stop it. What changed counts from the next start on.
    restartIfChanged = false;
    stopIfChanged = false;
    serviceConfig =
      hardening job
      // privileges job
      // devices job
      // {
        Type = "oneshot";
        User = job.user;
        NotifyAccess = "main";
        # From the last progress on, not from the start: Muster extends it while data moves.
        TimeoutStartSec = "15min";
        # Muster ends Borg and pg_dump itself, in order.
        KillMode = "mixed";
        TimeoutStopSec = "2min";
        # What Muster would otherwise ask for itself.
        LimitNOFILE = 524288;
        CPUSchedulingPolicy = "batch";
        Nice = 10;
        IOSchedulingClass = "best-effort";
        IOSchedulingPriority = 7;
        StateDirectory = borgDirectory name;
        StateDirectoryMode = "0700";
        CacheDirectory = borgDirectory name;
        CacheDirectoryMode = "0700";
        # What a run that was killed left outside the staging directory: a snapshot, a paused standby.
        ExecStopPost = "${job.package}/bin/muster undo ${name} --quiet";
      }
      // lib.optionalAttrs (job.credentials != { }) {
        LoadCredential = lib.mapAttrsToList (id: path: "${id}:${path}") job.credentials;
      }
      // lib.optionalAttrs (job.encryptedCredentials != { }) {
        LoadCredentialEncrypted = lib.mapAttrsToList (id: path: "${id}:${path}") job.encryptedCredentials;
      };
  };

  runUnit =
    name: job:
    mkMerge [
      (unit name job)
      {
        description = "Back up ${name} with Muster";
        serviceConfig.ExecStart = "${job.package}/bin/muster run ${name} --progress none";
      }
    ];

  # No Condition…= here: Borg would then run on yesterday's set. The unit stays active while Borg reads, so that nothing dumps
  # under it, and ends with the last Borg that needs it, so that the next one gets a new dump.
  dumpUnit =
    name: job:
    mkMerge [
      (unit name job)
      {
        description = "Dump ${name} for Borg";
        unitConfig.StopWhenUnneeded = true;
        serviceConfig = {
          RemainAfterExit = true;
          ExecStart = "${job.package}/bin/muster dump --job ${name} --progress none";
          ExecStop = "${job.package}/bin/muster release ${name} --quiet";
        };
      }
    ];

  timer = name: job: {
    description = "Start the backup of ${name}";
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnCalendar = job.startAt;
      # A night when the host was off is made up for.
      Persistent = true;
      # Each host has its own fixed place in the window.
      RandomizedDelaySec = job.randomizedDelay;
      FixedRandomDelay = true;
    };
  };

  # Muster with the programs and the Borg directories of the unit, for use by hand.
  byHand =
    name: job:
    pkgs.writeShellScriptBin "muster-job-${name}" ''
      export BORG_BASE_DIR=${(borgEnvironment name).BORG_BASE_DIR}
      export BORG_CACHE_DIR=${(borgEnvironment name).BORG_CACHE_DIR}
      export PATH=${lib.makeBinPath (programsOf job)}:$PATH
      exec ${job.package}/bin/muster "$@"
    '';

  # A directory must exist before a unit may write to it. A repository only if Muster creates it: elsewhere an empty directory
  # would hide that its disk is not mounted.
  directories =
    name: job:
    let
      made = builtins.filter (r: isLocal r && (r.initialize or null) != null) (repositoriesOf job);
      private.d = {
        mode = "0700";
        inherit (job) user;
      };
    in
    builtins.listToAttrs (
      map (path: lib.nameValuePair path private) ([ job.settings.staging ] ++ map (r: r.location) made)
    );

  assertionsOf =
    name: job:
    let
      option = "services.muster.jobs.${name}";
      known = builtins.attrNames (job.credentials // job.encryptedCredentials);
      wanted = builtins.filter (secret: (secret.from.credential or null) != null) (secretsOf job);
      missing = builtins.filter (secret: !builtins.elem secret.from.credential known) wanted;
      stored = builtins.filter (
        secret: (secret.from.file or null) != null && isInStore secret.from.file
      ) (secretsOf job);
      storedCredentials = builtins.filter (id: isInStore job.credentials.${id}) (builtins.attrNames job.credentials);
      sharers = builtins.filter (
        other: other != name && cfg.jobs.${other}.settings.staging == job.settings.staging
      ) (builtins.attrNames cfg.jobs);
      paths = [ job.settings.staging ] ++ localRepositories job;
      odd = builtins.filter (path: builtins.match ''/[^[:space:]%"'\]*'' path == null) paths;
      inPlace = builtins.any (dump: (dump.stage or null) == "reference") (dumpsOf job);
      otherUsers = builtins.filter (
        borg: !builtins.elem (config.services.borgbackup.jobs.${borg}.user or "root") [ "root" job.user ]
      ) job.borgbackupJobs;
    in
    [
      {
        assertion = builtins.match "[A-Za-z0-9_][A-Za-z0-9_.-]*" name != null;
        message = "${option}: the name of a job consists of letters, digits, '_', '.' and '-'.";
      }
      {
        assertion = odd == [ ];
        message = "${option}: ${toString odd} must be an absolute path without spaces, quotes, '%' and '\\', for systemd's sake.";
      }
      {
        assertion = sharers == [ ];
        message = "${option}: services.muster.jobs.${toString sharers} has the same staging directory ${job.settings.staging}. Each job needs its own.";
      }
      {
        assertion = !(isWired job && job.startAt != [ ] && repositoriesOf job == [ ]);
        message = "${option}: 'startAt' has nothing to start. The timer of ${
          toString (map (borg: "borgbackup-job-${borg}") job.borgbackupJobs)
        } starts the dump; set services.borgbackup.jobs.<name>.startAt.";
      }
      {
        assertion = !(isWired job && inPlace);
        message = "${option}: 'stage: reference' needs 'repositories:' instead of 'borgbackupJobs'. Another unit does not see a snapshot that is mounted in a hardened one.";
      }
      {
        assertion = otherUsers == [ ];
        message = "${option}: services.borgbackup.jobs.${toString otherUsers} runs as a user that may not read the staging directory of ${job.user}. Let it run as root or as ${job.user}.";
      }
    ]
    ++ map (secret: {
      assertion = false;
      message = "${option}.settings.${secret.what} names the credential '${secret.from.credential}', and ${option}.credentials has none of that name.";
    }) missing
    ++ map (secret: {
      assertion = false;
      message = "${option}.settings.${secret.what} is in the Nix store, where every user may read it. Name the file that sops-nix or agenix writes, as a string.";
    }) stored
    ++ map (id: {
      assertion = false;
      message = "${option}.credentials.${id} is in the Nix store, where every user may read it. Name the file that sops-nix or agenix writes, as a string.";
    }) storedCredentials;

  jobOptions =
    { name, ... }:
    {
      options = {
        package = mkOption {
          type = types.package;
          default = cfg.package;
          defaultText = lib.literalExpression "config.services.muster.package";
          description = "The Muster that runs this job, and checks its job file while the system is built.";
        };

        settings = mkOption {
          type = types.submodule {
            freeformType = json.type;
            options.staging = mkOption {
              type = types.str;
              default = "/var/lib/muster/${name}";
              description = "The directory that holds the dumps, with room for three sets.";
            };
          };
          description = "The job file, see docs/job-file.md. Whatever `muster config check` refuses does not build.";
          example = lib.literalExpression ''
            {
              dumps.app = { provider = "postgresql"; run_as = "postgres"; };
              repositories.offsite = {
                location = "12345@usw-s001.rsync.net:backups/nightly";
                passphrase.file = config.sops.secrets.borg_passphrase.path;
              };
            }
          '';
        };

        startAt = mkOption {
          type = types.either types.str (types.listOf types.str);
          default = [ ];
          example = "02:00";
          description = "When to run the job, see systemd.time(7). Empty: never by itself.";
        };

        randomizedDelay = mkOption {
          type = types.str;
          default = "1h";
          description = "The longest delay after startAt. Each host has a fixed one, so that not all start at once.";
        };

        user = mkOption {
          type = types.str;
          default = "root";
          example = "postgres";
          description = "The user that runs the job. With root, each dump may name another one in run_as.";
        };

        borgbackupJobs = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "documents" ];
          description = ''
            Jobs of services.borgbackup that archive the set of this job. Each then starts with a new dump, and does not start
            if the dump fails. The set is added to its paths.
          '';
        };

        credentials = mkOption {
          type = types.attrsOf types.str;
          default = { };
          example = lib.literalExpression "{ borg = config.sops.secrets.borg_passphrase.path; }";
          description = "Files that systemd hands to the job (LoadCredential=). The job file names them as {credential: NAME}.";
        };

        encryptedCredentials = mkOption {
          type = types.attrsOf types.str;
          default = { };
          description = "The same for files that systemd-creds encrypted on this host (LoadCredentialEncrypted=).";
        };

        onFailure = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "mail-admin@%n.service" ];
          description = "Units that systemd starts when a run or a dump of this job fails (OnFailure=).";
        };

        postgresqlPackage = mkOption {
          type = types.package;
          default = config.services.postgresql.package;
          defaultText = lib.literalExpression "config.services.postgresql.package";
          description = "Has pg_dump, pg_dumpall and pg_restore. Set it if the server is on another host.";
        };

        extraPackages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "Programs that commands in the job file need in PATH.";
        };
      };
    };

  each = of: lib.concatLists (lib.mapAttrsToList of cfg.jobs);
in
{
  options.services.muster = {
    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "Muster itself.";
    };

    borgPackage = mkOption {
      type = types.package;
      default = config.services.borgbackup.package or pkgs.borgbackup;
      defaultText = lib.literalExpression "config.services.borgbackup.package";
      description = "The Borg that Muster calls: 1.2 or 1.4.";
    };

    jobs = mkOption {
      type = types.attrsOf (types.submodule jobOptions);
      default = { };
      description = "What to dump, where to stage it, and which Borg repositories receive it.";
    };
  };

  config = mkIf (cfg.jobs != { }) {
    assertions = each assertionsOf;

    environment.etc = lib.mapAttrs' (
      name: job: lib.nameValuePair "muster/${name}.yaml" { source = jobFile name job; }
    ) cfg.jobs;

    environment.systemPackages = [ cfg.package ] ++ lib.mapAttrsToList byHand cfg.jobs;

    systemd.tmpfiles.settings = lib.mapAttrs' (
      name: job: lib.nameValuePair "muster-${name}" (directories name job)
    ) cfg.jobs;

    systemd.services = mkMerge (
      each (
        name: job:
        lib.optional (hasRunUnit job) { "muster-${name}" = runUnit name job; }
        ++ lib.optional (isWired job) { "muster-dump-${name}" = dumpUnit name job; }
        ++ map (borg: {
          "borgbackup-job-${borg}" = {
            # Both: without 'after' Borg would start beside the dump.
            requires = [ "muster-dump-${name}.service" ];
            after = [ "muster-dump-${name}.service" ];
            restartIfChanged = lib.mkDefault false;
          };
        }) job.borgbackupJobs
      )
    );

    systemd.timers = mkMerge (
      each (name: job: lib.optional (isScheduled job) { "muster-${name}" = timer name job; })
    );

    services.borgbackup.jobs = mkMerge (
      each (
        name: job:
        map (borg: {
          ${borg} = {
            paths = [ "${job.settings.staging}/current" ];
            # Borg only reads there. 'muster with-lock' in a hook of the job notes who holds the set.
            readWritePaths = [ job.settings.staging ];
          };
        }) job.borgbackupJobs
      )
    );
  };
}
