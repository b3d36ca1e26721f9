# As much of nixpkgs' library as config/nixos/module.nix needs, so that a host without nixpkgs can evaluate it.
#
# It proves what the module says, not that NixOS takes it: pass the real library to ./evaluate (NIXPKGS_LIB) for that.
let
  inherit (builtins)
    all
    attrNames
    attrValues
    concatLists
    concatStringsSep
    elemAt
    filter
    foldl'
    hasAttr
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    map
    mapAttrs
    toJSON
    ;
  concatMap = builtins.concatMap;

  # Definitions carry conditions and priorities. A smaller number wins, as in nixpkgs.
  ordinary = 100;
  isA = kind: value: isAttrs value && (value._type or null) == kind;

  # A condition moves down to the members of what it guards. Its own value is not looked at before a member is: with
  # 'config = mkIf config.x …' that would never end.
  members =
    definition:
    if isA "if" definition then
      map (mapAttrs (_: content: mkIf definition.condition content)) (members definition.content)
    else if isA "merge" definition then
      concatMap members definition.contents
    else if isA "override" definition then
      map (mapAttrs (_: content: override definition.priority content)) (members definition.content)
    else
      [ definition ];

  # The values of a definition that hold, with their priorities.
  values =
    definition:
    if isA "if" definition then
      if definition.condition then values definition.content else [ ]
    else if isA "merge" definition then
      concatMap values definition.contents
    else if isA "override" definition then
      map (found: found // { inherit (definition) priority; }) (values definition.content)
    else
      [
        {
          priority = ordinary;
          value = definition;
        }
      ];

  strongest =
    found:
    let
      least = foldl' (a: b: if b.priority < a then b.priority else a) (head found).priority found;
    in
    map (one: one.value) (filter (one: one.priority == least) found);

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  override = priority: content: {
    _type = "override";
    inherit priority content;
  };

  show = path: concatStringsSep "." path;
  unique = foldl' (seen: one: if builtins.elem one seen then seen else seen ++ [ one ]) [ ];
  namesOf = sets: unique (concatMap attrNames sets);
  at = name: sets: concatMap (set: if hasAttr name set then [ set.${name} ] else [ ]) sets;

  # The value of one option: a list with nothing in it if no definition holds.
  merged =
    path: type: definitions:
    let
      found = concatMap values definitions;
    in
    if found == [ ] then [ ] else [ (mergedValues path type (strongest found)) ];

  mergedValues =
    path: type: given:
    let
      wrong = filter (value: !type.check value) given;
      agreed =
        if all (value: value == head given) given then
          head given
        else
          throw "The option '${show path}' has conflicting definitions: ${toJSON given}";
      attributes =
        of:
        let
          known = map (name: {
            inherit name;
            value = merged (path ++ [ name ]) of (at name given);
          }) (namesOf given);
        in
        mapAttrs (_: head) (listToAttrs (filter (one: one.value != [ ]) known));
    in
    if wrong != [ ] then
      throw "The option '${show path}' is not ${type.kind}: ${
        if isFunction (head wrong) then "a function" else toJSON (head wrong)
      }"
    else if type.kind == "attrsOf" then
      attributes type.of
    else if type.kind == "listOf" then
      concatLists (
        map (
          list: map (item: head (merged path type.of [ item ])) list
        ) given
      )
    else if type.kind == "submodule" then
      submodule path type.module given
    else if type.kind == "anything" then
      if all isAttrs given && all (value: (value.type or null) != "derivation") given then
        attributes type
      else if all isList given then
        concatLists given
      else
        agreed
    else
      agreed;

  submodule =
    path: module: definitions:
    let
      name = elemAt path (length path - 1);
      body = if isFunction module then module { inherit name lib; config = value; } else module;
      value = fill path (body.options or { }) (body.freeformType or null) (
        definitions ++ (if body ? config then [ body.config ] else [ ])
      );
    in
    value;

  # Every option of a level is a thunk of its own, so that options may depend on each other.
  fill =
    path: options: freeform: definitions:
    let
      flat = concatMap members definitions;
      foreign = filter (name: !hasAttr name options) (namesOf flat);
      declared = mapAttrs (
        name: option:
        let
          here = path ++ [ name ];
          given = at name flat;
        in
        if !isA "option" option then
          fill here option null given
        else
          let
            defined = merged here option.type given;
            absent =
              if option ? default then
                [ option.default ]
              # A submodule's own defaults hold without any definition.
              else if option.type.kind == "submodule" then
                [ { } ]
              else
                [ ];
            value = if defined == [ ] then merged here option.type absent else defined;
          in
          if value == [ ] then
            throw "The option '${show here}' is used but not defined."
          else
            head value
      ) options;
      free = mapAttrs (_: head) (
        listToAttrs (
          filter (one: one.value != [ ]) (
            map (name: {
              inherit name;
              value = merged (path ++ [ name ]) freeform (at name flat);
            }) foreign
          )
        )
      );
    in
    if freeform != null then
      declared // free
    else if foreign != [ ] then
      throw "The option '${show (path ++ [ (head foreign) ])}' does not exist."
    else
      declared;

  # Options of several modules, one tree.
  joined =
    a: b:
    if isAttrs a && isAttrs b && !isA "option" a then
      a // mapAttrs (name: value: if hasAttr name a then joined a.${name} value else value) b
    else
      throw "an option is declared twice";

  type =
    kind: check: {
      inherit kind check;
    };

  types = {
    bool = type "a Boolean" isBool;
    int = type "an integer" isInt;
    str = type "a string" isString;
    path = type "an absolute path" (value: isPath value || (isString value && lib.hasPrefix "/" value));
    package = type "a package" (value: isAttrs value && (value.type or null) == "derivation");
    anything = type "anything" (_: true);
    lines = type "lines" isString;
    listOf = of: type "listOf" isList // { inherit of; };
    attrsOf = of: type "attrsOf" isAttrs // { inherit of; };
    nullOr = of: of // { check = value: value == null || of.check value; };
    # Lists in either form append, like in nixpkgs; strings must agree.
    either = a: b: type "either ${a.kind} or ${b.kind}" (value: a.check value || b.check value);
    submodule = module: type "submodule" isAttrs // { inherit module; };
  };

  lib = {
    inherit
      concatLists
      concatMap
      mkIf
      mkMerge
      types
      ;
    inherit (builtins) concatStringsSep mapAttrs;
    mkDefault = override 1000;
    mkForce = override 50;
    mkOption = option: option // { _type = "option"; };
    literalExpression = text: text;

    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: list: if condition then list else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    nameValuePair = name: value: { inherit name value; };
    mapAttrsToList = of: set: map (name: of name set.${name}) (attrNames set);
    mapAttrs' = of: set: listToAttrs (map (name: of name set.${name}) (attrNames set));
    concatStrings = concatStringsSep "";
    makeBinPath = packages: concatStringsSep ":" (map (package: "${package}/bin") packages);
    assertMsg = condition: message: condition || throw message;
    versionAtLeast = a: b: builtins.compareVersions a b >= 0;
    licenses.asl20 = "asl20";
    platforms.linux = [ "x86_64-linux" ];
    fileset = {
      toSource = set: toString set.root;
      unions = paths: assert all builtins.pathExists paths; paths;
    };

    evalModules =
      { modules, specialArgs }:
      let
        loaded = map (
          module:
          let
            body = if isPath module then import module else module;
            set = if isFunction body then body (specialArgs // { inherit lib config; }) else body;
          in
          if set ? options || set ? config then set else { config = set; }
        ) modules;
        options = foldl' joined { } (map (module: module.options or { }) loaded);
        config = fill [ ] options null (map (module: module.config or { }) loaded);
      in
      {
        inherit config;
      };
  };
in
lib
