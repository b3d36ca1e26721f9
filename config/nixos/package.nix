# Muster from this source tree: pkgs.callPackage ./package.nix { }. Needs a nixpkgs with Swift 6.2 or newer, as swift-log does.
# Evaluated by a test, never built by us: see docs/not-proven.md.
{
  lib,
  stdenv,
  fetchgit,
  installShellFiles,
  libpq,
  libyaml,
  openssl,
  pkg-config,
  swift,
  swiftpm,
}:
let
  # What Package.swift asks for, each at the commit of its tag. Update both together.
  dependencies = {
    swift-argument-parser = fetchgit {
      url = "https://github.com/apple/swift-argument-parser";
      rev = "436bde4bb9489201ca6662f5cf94ec45fa8e244e"; # 1.8.2
      hash = "sha256-87davPixt6+/NIuYi2HSc/L6SJqfQClToWPK89N3ToQ=";
    };
    swift-log = fetchgit {
      url = "https://github.com/apple/swift-log";
      rev = "c2cb5297956b2a95420f70d1f51e8dc4b4f94708"; # 1.16.2
      hash = "sha256-ZnyTd7bWdxROaZhfscXHK2CWJOfKUhhuc69hRenu0Xo=";
    };
    swift-system = fetchgit {
      url = "https://github.com/apple/swift-system";
      rev = "a7b0cdcbe3928cc5501238df4756be9a5db11b83"; # 1.8.1
      hash = "sha256-mnQcCHYW0oCadmIE9ayjs3aZiCVQRuliQ0qWpQ22OFQ=";
    };
  };
in
assert lib.assertMsg (lib.versionAtLeast swift.version "6.2")
  "muster needs Swift 6.2 or newer, and this nixpkgs has ${swift.version}. Use a newer nixpkgs for services.muster.package.";
stdenv.mkDerivation {
  pname = "muster";
  version = "0.1.0";

  # Package.swift names the tests too, so that it does not load without them.
  src = lib.fileset.toSource {
    root = ../..;
    fileset = lib.fileset.unions [
      ../../Package.swift
      ../../Sources
      ../../Tests
    ];
  };

  strictDeps = true;

  nativeBuildInputs = [
    installShellFiles
    pkg-config
    swift
    swiftpm
  ];

  buildInputs = [
    libpq
    libyaml
    openssl
  ];

  # A build has no network: the dependencies become directories of the package.
  postPatch = ''
    mkdir Dependencies
    ${lib.concatStrings (
      lib.mapAttrsToList (name: source: ''
        cp -r ${source} Dependencies/${name}
        chmod -R u+w Dependencies/${name}
      '') dependencies
    )}
    sed -E -i 's|\.package\(url: "https://github.com/apple/([a-z-]+)", from: "[^"]*"\)|.package(path: "Dependencies/\1")|' Package.swift
  '';

  buildPhase = ''
    runHook preBuild
    export HOME="$TMPDIR"
    for product in muster muster-keeper; do
      swift build --configuration release --disable-sandbox --jobs "$NIX_BUILD_CORES" --product "$product"
    done
    runHook postBuild
  '';

  # muster looks for muster-keeper beside itself.
  installPhase = ''
    runHook preInstall
    install -D -t "$out/bin" .build/release/muster .build/release/muster-keeper
    "$out/bin/muster" documents man --into man
    installManPage man/*
    for shell in bash zsh fish; do
      "$out/bin/muster" --generate-completion-script "$shell" > "muster.$shell"
    done
    installShellCompletion --cmd muster --bash muster.bash --zsh muster.zsh --fish muster.fish
    runHook postInstall
  '';

  meta = {
    description = "Consistent dumps of a host's stateful services, sealed as one set before Borg archives them";
    license = lib.licenses.asl20;
    mainProgram = "muster";
    platforms = lib.platforms.linux;
  };
}
