import Jobs
import MusterConfig
import Settings

/// Every key that a job file may have, section by section, from the schema that job files are read by.
struct JobReference {
    struct Section {
        var title: String
        var story: String
        var keys: [SettingsKey]
    }

    let job: Section
    /// One for each provider.
    let dumps: [Section]
    let repository: Section
    let receiver: Section

    var sections: [Section] { [job] + dumps + [repository, receiver] }

    init() {
        let schema = Job.schemaValue(kinds: BuiltInProviders.alone)
        let properties = schema["properties"] ?? [:]
        job = Section(title: "The job", story: "At the top of the file.", keys: SettingsKey.all(in: schema))
        dumps = (properties["dumps"]?["additionalProperties"]?["oneOf"]?.elements ?? []).map(Self.dump)
        repository = Self.named("A repository", in: properties, below: "repositories")
        receiver = Self.named("A receiver of notices", in: properties, below: "notify")
    }

    private static func named(_ title: String, in properties: PlainValue, below key: String) -> Section {
        Section(
            title: title, story: "Below `\(key):` and a name of your choice.",
            keys: SettingsKey.all(in: properties[key]?["additionalProperties"] ?? [:]))
    }

    private static func dump(_ schema: PlainValue) -> Section {
        let kind = schema["properties"]?["provider"]?["const"]?.word ?? ""
        return Section(
            title: "A dump with provider: \(kind)",
            story: "Below `dumps:` and a name of your choice. \(schema["description"]?.word ?? "")",
            keys: SettingsKey.all(in: schema))
    }

    /// A key and all below it.
    static func rows(_ keys: [SettingsKey]) -> [SettingsKey] { keys.flatMap { [$0] + rows($0.inner) } }

    static let story = """
        A job is one file in YAML or JSON: `/etc/muster/<job>.yaml`. Unknown keys are errors. A duration is written as `90s`, `5m`, `6h`, \
        `1d` or `1h30m`. `muster config check` finds every mistake, `muster config show` prints the job with every default filled in, and \
        `muster config schema` prints the JSON Schema.
        """
}

extension JobReference {
    /// `docs/job-file.md`.
    var markdown: String {
        let opening = """
            # The job file

            <!-- Made by make documents from the schema of job files. Do not edit. -->

            \(Self.story) The same keys as one file to copy from: [config/reference.yaml](../config/reference.yaml).
            """
        return ([opening] + sections.map(\.markdown)).joined(separator: "\n\n")
    }

    /// `muster.yaml(5)`.
    var manualPage: ManualPage {
        let plain = Self.story.replacing("`", with: "")
        return ManualPage(
            file: "muster.yaml.5",
            text: Roff.page(
                "MUSTER.YAML", 5, name: "muster.yaml", summary: "what a job of muster dumps, stages and archives",
                [Roff.section("DESCRIPTION", Roff.paragraphs(plain))] + sections.map(\.manual)
                    + [Roff.section("SEE ALSO", [Roff.text("muster(1), muster-config(1), muster-check(1)")])]))
    }
}

extension JobReference.Section {
    fileprivate var markdown: String {
        let rows = JobReference.rows(keys).map { key in
            let standard = key.isRequired ? "(required)" : key.standard.map { "`\($0.inline)`" } ?? ""
            let example = key.example.map { "`\($0.inline)`" } ?? ""
            return [("`\(key.path)`"), key.type, standard, example, key.help].map(\.markdownCell).joined(
                separator: " | ")
        }
        return
            ([
                "## \(title)", "", story, "", "| key | type | default | example | what it does |",
                "| --- | --- | --- | --- | --- |",
            ]
            + rows.map { "| \($0) |" }).joined(separator: "\n")
    }

    fileprivate var manual: String {
        let items = JobReference.rows(keys).map { key in
            let facts = [
                key.type.replacing("`", with: ""),
                key.isRequired ? "required" : key.standard.map { "default \($0.inline)" },
                key.example.map { "such as \($0.inline)" },
            ].compactMap(\.self).joined(separator: "; ")
            return Roff.item(key.path, "\(key.help) (\(facts))")
        }
        return Roff.section(title.uppercased(), [Roff.text(story.replacing("`", with: ""))] + items)
    }
}
