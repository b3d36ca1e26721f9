import Settings
import SystemPackage
import Testing

@testable import MusterConfig
@testable import Snapshots

/// A kind of dump that has a snapshot.
private struct Sample: ProviderSettings {
    var snapshot: SnapshotSettings?

    static let kind = ProviderKind(
        "sample", "A sample.",
        shape: ObjectShape(default: Sample()).optional("snapshot", \.snapshot, .snapshot, "The snapshot.")
    ) { _, _ in [] }
}

@Suite("The settings of a snapshot")
struct SettingsTests {
    private func read(_ text: String) throws -> SnapshotSettings? {
        let file = "{staging: /s, dumps: {a: {provider: sample, snapshot: \(text)}}}"
        let plan = try JobFile.parse(Array(file.utf8), name: "nightly", file: "nightly.yaml", kinds: [Sample.kind])
        return (plan.dumps[0].settings as? Sample)?.snapshot
    }

    private func mistake(in text: String) -> String {
        do {
            _ = try read(text)
            return ""
        } catch {
            return (error as? ConfigurationError)?.description ?? "\(error)"
        }
    }

    private static let everything: [(String, SnapshotSettings)] = {
        var sized = SnapshotSettings(.lvm)
        sized.size = SnapshotSize("5G")!
        var nested = SnapshotSettings(.btrfs)
        nested.nested = .include
        let commands = SnapshotCommands(
            create: ["/sbin/snap", "--now"], mount: ["mount-it"], release: ["/sbin/drop"], deadline: .seconds(60))
        return [
            ("auto", SnapshotSettings()), ("btrfs", SnapshotSettings(.btrfs)), ("lvm", SnapshotSettings(.lvm)),
            ("zfs", SnapshotSettings(.zfs)), ("{lvm: {}}", SnapshotSettings(.lvm)), ("{lvm: {size: 5G}}", sized),
            ("{btrfs: {nested: include}}", nested),
            (
                "{command: {create: [/sbin/snap, --now], mount: [mount-it], release: [/sbin/drop], deadline: 60s}}",
                SnapshotSettings(commands)
            ),
        ]
    }()

    @Test("are a word, or a mapping of it to more, and are written as they are read")
    func roundTrip() throws {
        for (text, settings) in Self.everything {
            #expect(try read(text) == settings)
            let written = Shape<SnapshotSettings>.snapshot.write(settings)
            #expect(try read(written.json) == settings, "\(written.json)")
        }
        #expect(Shape<SnapshotSettings>.snapshot.write(SnapshotSettings(.zfs)) == "zfs")
        #expect(try read("~") == nil)
    }

    @Test("name every mistake")
    func mistakes() {
        let place = "nightly.yaml:1:55: dumps.a.snapshot: "
        #expect(
            mistake(in: "btrf")
                == "\(place)expected auto, btrfs, lvm or zfs, found 'btrf'\n  hint: Did you mean 'btrfs'?")
        #expect(
            mistake(in: "{lvm: {}, zfs: {}}")
                == "\(place)expected one kind of snapshot\n  hint: Write it once, such as lvm: {size: 5G}.")
        #expect(mistake(in: "{lvm: {size: 5}}").contains("expected a size such as 10%ORIGIN, 50%FREE or 5G, found '5'"))
        #expect(mistake(in: "{btrfs: {size: 5G}}").contains("unknown key 'size' in dumps.a.snapshot.btrfs"))
        #expect(mistake(in: "{command: {create: [a], mount: [b]}}").contains("missing key 'release'"))
        #expect(mistake(in: "{command: {create: [], mount: [b], release: [c]}}").contains("needs at least one entry"))
        #expect(mistake(in: "{zfs: {nested: all}}").contains("expected refuse, include or omit, found 'all'"))
    }

    @Test(
        "have sizes that LVM understands",
        arguments: [("10%ORIGIN", 100), ("1K", 1024), ("2M", 2 << 20), ("3G", 3 << 30)]
    )
    func sizes(text: String, bytes: Int64) throws {
        let size = try #require(SnapshotSize(text))
        #expect(size.bytes(ofOrigin: 1000) == bytes)
        #expect(size.arguments == [text.contains("%") ? "--extents" : "--size", text])
    }

    @Test(
        "have no size that LVM would understand in another way",
        arguments: ["", "5", "0G", "5g", "10%", "10%PVS", "5 G"])
    func noSizes(text: String) { #expect(SnapshotSize(text) == nil) }
}
