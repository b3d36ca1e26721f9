import DumpCore

/// The sources that Borg is to read where they are, and that stay frozen until it has.
actor SourcesInPlace {
    private var sources: [any FrozenSource] = []
    /// The names of the dumps that they are of.
    private(set) var dumps: Set<String> = []

    var isEmpty: Bool { sources.isEmpty }

    func add(_ source: any FrozenSource, of dump: String) {
        sources.append(source)
        dumps.insert(dump)
    }

    /// Leaves them as they are, whatever becomes of this process.
    func keep() { sources = [] }

    /// A second time does nothing.
    func release() async {
        let held = sources
        sources = []
        for source in held { await source.release() }
    }
}
