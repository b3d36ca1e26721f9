# One host: what its configuration says in the end, as data.
{
  libPath ? ./lib.nix,
  muster,
  configuration,
}:
let
  lib = import libPath;
  pkgs = import ./pkgs.nix { inherit muster; };
  given = pkgs // {
    formats.json = _: pkgs.formats.json { inherit lib; };
  };
  base = {
    services.muster.package = pkgs.muster;
    services.postgresql.package = pkgs.postgresql;
    services.borgbackup.package = pkgs.borgbackup;
  };
  result = lib.evalModules {
    specialArgs.pkgs = given;
    modules = [
      ./host.nix
      ../../config/nixos/module.nix
      base
      configuration
    ];
  };
  inherit (result) config;
  service = unit: {
    inherit (unit)
      description
      documentation
      requires
      after
      wants
      wantedBy
      onFailure
      unitConfig
      environment
      serviceConfig
      script
      restartIfChanged
      stopIfChanged
      ;
    path = map (package: "${package}") unit.path;
  };
  timer = unit: {
    inherit (unit)
      description
      documentation
      requires
      after
      wants
      wantedBy
      onFailure
      unitConfig
      timerConfig
      ;
  };
in
{
  failed = map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
  services = builtins.mapAttrs (_: service) config.systemd.services;
  timers = builtins.mapAttrs (_: timer) config.systemd.timers;
  directories = config.systemd.tmpfiles.settings;
  jobFiles = builtins.mapAttrs (_: entry: {
    inherit (entry.source) name command drvPath;
  }) config.environment.etc;
  commands = builtins.listToAttrs (
    map (package: {
      inherit (package) name;
      value = package.text or "";
    }) config.environment.systemPackages
  );
  settings = builtins.mapAttrs (_: job: job.settings) config.services.muster.jobs;
  borg = config.services.borgbackup.jobs;
  secrets = config.sops.secrets;
}
