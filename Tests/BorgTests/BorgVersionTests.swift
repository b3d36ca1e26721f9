import Testing

@testable import Borg

@Suite("Versions of Borg")
struct BorgVersionTests {
    @Test(
        "A version is read from what borg --version prints",
        arguments: [
            ("borg 1.2.4\n", BorgVersion(1, 2, 4)), ("borg 1.4.0rc1", BorgVersion(1, 4, 0)),
            ("borg 2.0.0b22\n", BorgVersion(2, 0, 0)), ("borg.exe 1.2.10", BorgVersion(1, 2, 10)),
        ])
    func printed(text: String, version: BorgVersion) {
        #expect(BorgVersion(printed: text) == version)
    }

    @Test("What is no version is none", arguments: ["", "borg", "borg 1.2", "attic 0.16.0", "borg one.two.three"])
    func noVersion(text: String) {
        #expect(BorgVersion(printed: text) == nil)
    }

    @Test("Versions are ordered by number, not by text")
    func order() {
        #expect(BorgVersion(1, 2, 9) < BorgVersion(1, 2, 10))
        #expect(BorgVersion(1, 10, 0) > BorgVersion(1, 9, 9))
        #expect(!BorgVersion.supported.contains(BorgVersion(1, 1, 18)))
        #expect(BorgVersion.supported.contains(BorgVersion(2, 0, 0)))
        #expect(!BorgVersion.supported.contains(BorgVersion(3, 0, 0)))
    }
}
