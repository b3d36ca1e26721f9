# What of NixOS the module touches, with the types that nixpkgs gives it, and the unit of services.borgbackup.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  list = mkOption {
    type = types.listOf types.str;
    default = [ ];
  };
  section = mkOption {
    type = types.attrsOf types.anything;
    default = { };
  };
  text = mkOption {
    type = types.str;
    default = "";
  };
  yes = mkOption {
    type = types.bool;
    default = true;
  };

  unit = {
    description = text;
    documentation = list;
    requires = list;
    after = list;
    wants = list;
    wantedBy = list;
    onFailure = list;
    unitConfig = section;
  };
  service = types.submodule {
    options = unit // {
      path = mkOption {
        type = types.listOf types.package;
        default = [ ];
      };
      environment = mkOption {
        type = types.attrsOf types.str;
        default = { };
      };
      serviceConfig = section;
      script = text;
      restartIfChanged = yes;
      stopIfChanged = yes;
    };
  };
  timer = types.submodule {
    options = unit // {
      timerConfig = section;
    };
  };

  # The options of services.borgbackup.jobs that the examples use, and what their unit is made of.
  borgJob = types.submodule {
    options = {
      paths = list;
      repo = mkOption { type = types.str; };
      user = mkOption {
        type = types.str;
        default = "root";
      };
      doInit = yes;
      encryption.mode = mkOption { type = types.str; };
      encryption.passCommand = mkOption {
        type = types.nullOr types.str;
        default = null;
      };
      compression = mkOption {
        type = types.str;
        default = "lz4";
      };
      startAt = mkOption {
        type = types.either types.str (types.listOf types.str);
        default = "daily";
      };
      environment = mkOption {
        type = types.attrsOf types.str;
        default = { };
      };
      prune.keep = section;
      readWritePaths = mkOption {
        type = types.listOf types.path;
        default = [ ];
      };
    };
  };
  borgUnit = name: job: {
    name = "borgbackup-job-${name}";
    value = {
      description = "BorgBackup job ${name}";
      environment = {
        BORG_REPO = job.repo;
      }
      // job.environment;
      script = "borg create ::archive ${builtins.concatStringsSep " " job.paths}";
      serviceConfig = {
        User = job.user;
        ProtectSystem = "strict";
        PrivateTmp = true;
        ReadWritePaths = [ "/root/.cache/borg" ] ++ job.readWritePaths;
      };
    };
  };
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.anything;
      default = [ ];
    };
    environment.etc = mkOption {
      type = types.attrsOf types.anything;
      default = { };
    };
    environment.systemPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
    };
    systemd.services = mkOption {
      type = types.attrsOf service;
      default = { };
    };
    systemd.timers = mkOption {
      type = types.attrsOf timer;
      default = { };
    };
    systemd.tmpfiles.settings = section;
    programs.ssh.knownHosts = section;
    services.postgresql.package = mkOption { type = types.package; };
    services.borgbackup.package = mkOption { type = types.package; };
    services.borgbackup.jobs = mkOption {
      type = types.attrsOf borgJob;
      default = { };
    };
    # sops-nix: declared secrets, each decrypted to a file at activation.
    sops.secrets = mkOption {
      type = types.attrsOf (
        types.submodule (
          { name, ... }:
          {
            options = {
              mode = text;
              owner = text;
              group = text;
              path = mkOption {
                type = types.str;
                default = "/run/secrets/${name}";
              };
            };
          }
        )
      );
      default = { };
    };
  };

  config.systemd.services = lib.mapAttrs' borgUnit config.services.borgbackup.jobs;
}
