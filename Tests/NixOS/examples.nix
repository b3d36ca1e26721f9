# The usual forms of services.borgbackup for rsync.net, each with what says the same in services.muster.
let
  secrets = {
    backup_ssh_key = {
      mode = "0400";
      owner = "root";
      group = "root";
    };
    borg_passphrase = {
      mode = "0400";
      owner = "root";
      group = "root";
    };
  };
  account = "12345@usw-s001.rsync.net";
  keep = {
    daily = 7;
    weekly = 4;
    monthly = 6;
  };
  environment = config: {
    BORG_RSH = "ssh -i ${config.sops.secrets.backup_ssh_key.path}";
    BORG_REMOTE_PATH = "borg14";
  };
  encryption = config: {
    mode = "repokey-blake2";
    passCommand = "cat ${config.sops.secrets.borg_passphrase.path}";
  };
  repository = config: {
    remote_path = "borg14";
    ssh.identity_file = config.sops.secrets.backup_ssh_key.path;
    compression = "auto,zstd";
  };
in
{
  # A directory, encrypted, every day.
  documents = {
    before =
      { config, ... }:
      {
        sops.secrets = secrets;
        services.borgbackup.jobs.documents = {
          paths = [ "/srv/documents" ];
          repo = "${account}:backups/documents";
          doInit = true;
          encryption = encryption config;
          compression = "auto,zstd";
          startAt = "daily";
          environment = environment config;
          prune.keep = keep;
        };
      };
    after =
      { config, ... }:
      {
        sops.secrets = secrets;
        services.muster.jobs.documents = {
          startAt = "daily";
          settings = {
            dumps.documents = {
              provider = "directory";
              path = "/srv/documents";
            };
            repositories.offsite = repository config // {
              location = "${account}:backups/documents";
              initialize = "repokey-blake2";
              passphrase.command = "cat ${config.sops.secrets.borg_passphrase.path}";
              inherit keep;
            };
          };
        };
      };
  };

  # A directory without encryption.
  media = {
    before =
      { config, ... }:
      {
        sops.secrets = secrets;
        services.borgbackup.jobs.media = {
          paths = [ "/srv/media" ];
          repo = "${account}:backups/media";
          encryption.mode = "none";
          compression = "auto,zstd";
          startAt = "daily";
          environment = environment config;
        };
      };
    after =
      { config, ... }:
      {
        sops.secrets = secrets;
        services.muster.jobs.media = {
          startAt = "daily";
          settings = {
            dumps.media = {
              provider = "directory";
              path = "/srv/media";
            };
            repositories.offsite = repository config // {
              location = "${account}:backups/media";
              initialize = "none";
            };
          };
        };
      };
  };

  # A dump in a unit of its own, before Borg.
  postgresql =
    let
      borg = config: {
        repo = "${account}:backups/postgresql";
        doInit = true;
        encryption = encryption config;
        compression = "auto,zstd";
        startAt = "daily";
        environment = environment config;
        prune.keep = keep;
      };
    in
    {
      before =
        { config, ... }:
        {
          sops.secrets = secrets;
          systemd.services.pg-dump-for-borg = {
            description = "Dump PostgreSQL for Borg";
            serviceConfig = {
              Type = "oneshot";
              User = "postgres";
            };
            script = ''
              install -d -m 0700 /var/backup/postgresql
              ${config.services.postgresql.package}/bin/pg_dumpall --clean --if-exists > /var/backup/postgresql/all.sql
            '';
          };
          systemd.services.borgbackup-job-postgresql = {
            requires = [ "pg-dump-for-borg.service" ];
            after = [ "pg-dump-for-borg.service" ];
          };
          services.borgbackup.jobs.postgresql = borg config // {
            paths = [ "/var/backup/postgresql" ];
          };
        };
      after =
        { config, ... }:
        {
          sops.secrets = secrets;
          services.muster.jobs.postgresql = {
            user = "postgres";
            borgbackupJobs = [ "postgresql" ];
            settings = {
              staging = "/var/backup/postgresql";
              dumps.all = {
                provider = "postgresql";
                layout = "cluster";
              };
            };
          };
          services.borgbackup.jobs.postgresql = borg config;
        };
    };
}
