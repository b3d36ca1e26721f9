# The hosts that ./evaluate looks at.
{
  libPath ? ./lib.nix,
  muster,
  pages ? [ ],
}:
let
  lib = import libPath;
  host =
    configuration:
    import ./host-with.nix {
      inherit libPath muster configuration;
    };
  jobs = jobs: host { services.muster = { inherit jobs; }; };
  job = name: job: jobs { ${name} = job; };

  app = {
    provider = "postgresql";
    run_as = "postgres";
  };
  local = {
    location = "/srv/backup/nightly";
    initialize = "repokey-blake2";
    passphrase.file = "/run/secrets/borg_passphrase";
  };
  borg = {
    repo = "12345@usw-s001.rsync.net:backups/documents";
    encryption.mode = "none";
  };

  examples = import ./examples.nix;
in
{
  good = {
    nightly = job "nightly" {
      startAt = "02:00";
      onFailure = [ "alert@%n.service" ];
      settings = {
        dumps = { inherit app; };
        repositories = { inherit local; };
      };
    };

    without-borg = job "copy" {
      settings = {
        staging = "/srv/copy";
        dumps = { inherit app; };
      };
    };

    wired = host {
      services.borgbackup.jobs.documents = borg // {
        paths = [ "/srv/documents" ];
      };
      services.muster.jobs.app = {
        borgbackupJobs = [ "documents" ];
        onFailure = [ "alert@%n.service" ];
        settings.dumps = { inherit app; };
      };
    };

    # One set, two Borg jobs.
    shared = host {
      services.borgbackup.jobs.near = borg;
      services.borgbackup.jobs.far = borg;
      services.muster.jobs.app = {
        borgbackupJobs = [
          "near"
          "far"
        ];
        settings.dumps = { inherit app; };
      };
    };

    # Two sets of two users, one Borg job.
    two = host {
      services.borgbackup.jobs.documents = borg;
      services.muster.jobs.app = {
        user = "postgres";
        borgbackupJobs = [ "documents" ];
        settings.dumps.app.provider = "postgresql";
      };
      services.muster.jobs.files = {
        borgbackupJobs = [ "documents" ];
        settings.dumps.files = {
          provider = "directory";
          path = "/srv/files";
        };
      };
    };

    # The set goes to a repository of its own, and to a Borg job.
    both = host {
      services.borgbackup.jobs.documents = borg;
      services.muster.jobs.app = {
        startAt = [
          "06:00"
          "18:00"
        ];
        borgbackupJobs = [ "documents" ];
        settings.dumps = { inherit app; };
        settings.repositories = { inherit local; };
      };
    };

    snapshots = job "files" {
      settings.dumps.files = {
        provider = "directory";
        path = "/srv/files";
        snapshot = "auto";
      };
    };

    as-postgres = job "app" {
      user = "postgres";
      settings.dumps.app.provider = "postgresql";
    };

    credentials = job "shop" {
      credentials.borg = "/run/agenix/borg";
      encryptedCredentials.shop = "/etc/credstore.encrypted/shop";
      settings = {
        dumps.shop = {
          provider = "postgresql";
          connection = "host=db.example.org user=backup dbname=postgres";
          password.credential = "shop";
        };
        repositories.offsite = {
          location = "12345@usw-s001.rsync.net:backups/shop";
          passphrase.credential = "borg";
          key_export = "/etc/muster/shop.key";
        };
      };
    };

    homes = jobs {
      homes.settings.dumps.homes = {
        provider = "directory";
        path = "/home";
      };
      key.settings = {
        dumps = { inherit app; };
        repositories.offsite = {
          location = "12345@usw-s001.rsync.net:backups/key";
          passphrase.command = "cat /root/passphrase";
        };
      };
    };

    nothing = host { };
  };

  # Hosts that evaluate, and whose assertions say what is wrong.
  doubtful = builtins.mapAttrs (_: host: host.failed) {
    missing-credential = job "nightly" {
      credentials.brog = "/run/secrets/borg";
      settings.dumps = { inherit app; };
      settings.repositories.offsite = local // {
        passphrase.credential = "borg";
      };
    };
    secret-in-store = job "nightly" {
      settings.dumps = { inherit app; };
      settings.repositories.offsite = local // {
        passphrase.file = "${builtins.storeDir}/00000000000000000000000000000000-passphrase";
      };
    };
    credential-in-store = job "nightly" {
      credentials.borg = "${builtins.storeDir}/00000000000000000000000000000000-passphrase";
      settings.dumps = { inherit app; };
    };
    key-as-path = job "nightly" {
      settings.dumps = { inherit app; };
      settings.repositories.offsite = local // {
        ssh.identity_file = ./examples.nix;
      };
    };
    nothing-to-start = host {
      services.borgbackup.jobs.documents = borg;
      services.muster.jobs.app = {
        startAt = "02:00";
        borgbackupJobs = [ "documents" ];
        settings.dumps = { inherit app; };
      };
    };
    in-place = host {
      services.borgbackup.jobs.documents = borg;
      services.muster.jobs.files = {
        borgbackupJobs = [ "documents" ];
        settings.dumps.files = {
          provider = "directory";
          path = "/srv/files";
          snapshot = "zfs";
          stage = "reference";
        };
      };
    };
    other-user = host {
      services.borgbackup.jobs.documents = borg // {
        user = "alice";
      };
      services.muster.jobs.app = {
        borgbackupJobs = [ "documents" ];
        settings.dumps = { inherit app; };
      };
    };
    same-staging = jobs {
      a.settings = {
        staging = "/srv/sets";
        dumps = { inherit app; };
      };
      b.settings = {
        staging = "/srv/sets";
        dumps = { inherit app; };
      };
    };
    odd-path = job "nightly" {
      settings.staging = "/srv/my sets";
      settings.dumps = { inherit app; };
    };
    odd-name = job "my job" {
      settings.staging = "/srv/sets";
      settings.dumps = { inherit app; };
    };
  };

  # Hosts whose job file Muster refuses while the system is built.
  unbuildable = {
    misspelt-key = job "nightly" {
      settings.dumps.app = app // {
        databases.exlude = [ "scratch_*" ];
      };
    };
    missing-passphrase = job "nightly" {
      settings.dumps = { inherit app; };
      settings.repositories.offsite = {
        location = "12345@usw-s001.rsync.net:backups/nightly";
        initialize = "repokey-blake2";
      };
    };
    no-settings = job "nightly" { };
  };

  # Hosts that do not evaluate.
  broken = {
    unknown-option = job "nightly" {
      borgbackupJob = [ "documents" ];
      settings.dumps = { inherit app; };
    };
    wrong-type = job "nightly" {
      borgbackupJobs = "documents";
      settings.dumps = { inherit app; };
    };
  };

  examples = builtins.mapAttrs (_: example: {
    before = host example.before;
    after = host example.after;
    # As it was written, to see that nothing of it has no counterpart.
    written = example.before {
      config.sops.secrets = builtins.mapAttrs (name: _: { path = "/run/secrets/${name}"; }) {
        backup_ssh_key = 0;
        borg_passphrase = 0;
      };
      config.services.postgresql.package = "/packages/postgresql";
    };
  }) examples;

  # Configurations in the documents.
  pages = map host pages;

  package =
    let
      pkgs = import ./pkgs.nix { inherit muster; };
      built = import ../../config/nixos/package.nix {
        inherit lib;
        inherit (pkgs)
          stdenv
          fetchgit
          installShellFiles
          libpq
          libyaml
          openssl
          pkg-config
          swift
          swiftpm
          ;
      };
    in
    {
      inherit (built) pname version postPatch;
    };
}
