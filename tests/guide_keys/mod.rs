//! The resource attributes that the guide deletes, in its order; one of them twice, as it has it.
#![allow(unreachable_pub, reason = "a test has no outside")]

pub const DELETED: [&str; 14] = [
    "process.runtime.description",
    "process.command_args",
    "telemetry.distro.version",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "service.instance.id",
    "process.runtime.name",
    "process.runtime.description",
    "process.pid",
    "process.executable.path",
    "process.command.args",
    "os.description",
    "instance",
    "container.id",
];
