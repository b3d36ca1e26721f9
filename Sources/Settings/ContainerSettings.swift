/// A container that has what is dumped, as a job file names it.
public struct ContainerSettings: Sendable, Equatable {
    public enum Engine: String, Sendable, CaseIterable {
        case docker, podman
    }

    public var name = ""
    public var engine = Engine.docker
    /// Whom to be in the container, if not its usual user.
    public var user: String?

    public init() {}

    public static var shape: ObjectShape<ContainerSettings> {
        ObjectShape(default: ContainerSettings())
            .required("name", \.name, .name.example("gitlab"), "The container's name or id.")
            .key("engine", \.engine, .choice, "The program that reaches it.")
            .optional("user", \.user, .name, "The user in the container. Not set: the one that its image names.")
            .example("{name: gitlab}")
    }
}
