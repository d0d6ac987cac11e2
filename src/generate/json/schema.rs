//! Which field of which message is called what in OTLP/JSON, and how its value is written there.
//!
//! One table for all three signals: numbers and names as in the protobuf files of OTLP 1.x. Fields
//! that the generator never writes are left out; deprecated ones too.

/// How a value stands in JSON.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Message(&'static Message),
    Text,
    /// In base64.
    Bytes,
    /// Trace and span ids, in hexadecimal: the one departure of OTLP from protobuf's JSON.
    Id,
    Bool,
    /// 32-bit varints and enums, as numbers.
    Int,
    /// `sint32`, as a number.
    ZigZag,
    /// `int64`, as text.
    Long,
    Fixed32,
    /// As text, unsigned.
    Fixed64,
    /// As text, signed.
    Signed64,
    Double,
    PackedFixed64,
    PackedDouble,
    /// Packed `uint64`, as texts.
    PackedLong,
}

pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_repeated: bool,
}

pub(super) struct Message {
    pub(super) fields: &'static [Field],
}

use Kind::{
    Bool, Bytes, Double, Fixed32, Fixed64, Id, Int, Long, PackedDouble, PackedFixed64, PackedLong,
    Signed64, Text, ZigZag,
};

const fn one(number: u32, name: &'static str, kind: Kind) -> Field {
    Field {
        number,
        name,
        kind,
        is_repeated: false,
    }
}

const fn many(number: u32, name: &'static str, message: &'static Message) -> Field {
    Field {
        number,
        name,
        kind: Kind::Message(message),
        is_repeated: true,
    }
}

const fn message(number: u32, name: &'static str, message: &'static Message) -> Field {
    one(number, name, Kind::Message(message))
}

macro_rules! messages {
    ($($name:ident = [$($field:expr),* $(,)?];)*) => {
        $(pub(super) static $name: Message = Message { fields: &[$($field),*] };)*
    };
}

messages! {
    ANY_VALUE = [
        one(1, "stringValue", Text),
        one(2, "boolValue", Bool),
        one(3, "intValue", Long),
        one(4, "doubleValue", Double),
        message(5, "arrayValue", &ARRAY_VALUE),
        message(6, "kvlistValue", &KEY_VALUE_LIST),
        one(7, "bytesValue", Bytes),
    ];
    ARRAY_VALUE = [many(1, "values", &ANY_VALUE)];
    KEY_VALUE_LIST = [many(1, "values", &KEY_VALUE)];
    KEY_VALUE = [one(1, "key", Text), message(2, "value", &ANY_VALUE)];
    SCOPE = [
        one(1, "name", Text),
        one(2, "version", Text),
        many(3, "attributes", &KEY_VALUE),
        one(4, "droppedAttributesCount", Int),
    ];
    RESOURCE = [
        many(1, "attributes", &KEY_VALUE),
        one(2, "droppedAttributesCount", Int),
    ];

    EXPORT_TRACES = [many(1, "resourceSpans", &RESOURCE_SPANS)];
    RESOURCE_SPANS = [
        message(1, "resource", &RESOURCE),
        many(2, "scopeSpans", &SCOPE_SPANS),
        one(3, "schemaUrl", Text),
    ];
    SCOPE_SPANS = [
        message(1, "scope", &SCOPE),
        many(2, "spans", &SPAN),
        one(3, "schemaUrl", Text),
    ];
    SPAN = [
        one(1, "traceId", Id),
        one(2, "spanId", Id),
        one(3, "traceState", Text),
        one(4, "parentSpanId", Id),
        one(16, "flags", Fixed32),
        one(5, "name", Text),
        one(6, "kind", Int),
        one(7, "startTimeUnixNano", Fixed64),
        one(8, "endTimeUnixNano", Fixed64),
        many(9, "attributes", &KEY_VALUE),
        one(10, "droppedAttributesCount", Int),
        many(11, "events", &EVENT),
        one(12, "droppedEventsCount", Int),
        many(13, "links", &LINK),
        one(14, "droppedLinksCount", Int),
        message(15, "status", &STATUS),
    ];
    EVENT = [
        one(1, "timeUnixNano", Fixed64),
        one(2, "name", Text),
        many(3, "attributes", &KEY_VALUE),
        one(4, "droppedAttributesCount", Int),
    ];
    LINK = [
        one(1, "traceId", Id),
        one(2, "spanId", Id),
        one(3, "traceState", Text),
        many(4, "attributes", &KEY_VALUE),
        one(5, "droppedAttributesCount", Int),
        one(6, "flags", Fixed32),
    ];
    STATUS = [one(2, "message", Text), one(3, "code", Int)];

    EXPORT_METRICS = [many(1, "resourceMetrics", &RESOURCE_METRICS)];
    RESOURCE_METRICS = [
        message(1, "resource", &RESOURCE),
        many(2, "scopeMetrics", &SCOPE_METRICS),
        one(3, "schemaUrl", Text),
    ];
    SCOPE_METRICS = [
        message(1, "scope", &SCOPE),
        many(2, "metrics", &METRIC),
        one(3, "schemaUrl", Text),
    ];
    METRIC = [
        one(1, "name", Text),
        one(2, "description", Text),
        one(3, "unit", Text),
        message(5, "gauge", &GAUGE),
        message(7, "sum", &SUM),
        message(9, "histogram", &HISTOGRAM),
        message(10, "exponentialHistogram", &EXPONENTIAL_HISTOGRAM),
        message(11, "summary", &SUMMARY),
        many(12, "metadata", &KEY_VALUE),
    ];
    GAUGE = [many(1, "dataPoints", &NUMBER_POINT)];
    SUM = [
        many(1, "dataPoints", &NUMBER_POINT),
        one(2, "aggregationTemporality", Int),
        one(3, "isMonotonic", Bool),
    ];
    HISTOGRAM = [
        many(1, "dataPoints", &HISTOGRAM_POINT),
        one(2, "aggregationTemporality", Int),
    ];
    EXPONENTIAL_HISTOGRAM = [
        many(1, "dataPoints", &EXPONENTIAL_POINT),
        one(2, "aggregationTemporality", Int),
    ];
    SUMMARY = [many(1, "dataPoints", &SUMMARY_POINT)];
    NUMBER_POINT = [
        many(7, "attributes", &KEY_VALUE),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "asDouble", Double),
        one(6, "asInt", Signed64),
        many(5, "exemplars", &EXEMPLAR),
        one(8, "flags", Int),
    ];
    HISTOGRAM_POINT = [
        many(9, "attributes", &KEY_VALUE),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        one(6, "bucketCounts", PackedFixed64),
        one(7, "explicitBounds", PackedDouble),
        many(8, "exemplars", &EXEMPLAR),
        one(10, "flags", Int),
        one(11, "min", Double),
        one(12, "max", Double),
    ];
    EXPONENTIAL_POINT = [
        many(1, "attributes", &KEY_VALUE),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        one(6, "scale", ZigZag),
        one(7, "zeroCount", Fixed64),
        message(8, "positive", &BUCKETS),
        message(9, "negative", &BUCKETS),
        one(10, "flags", Int),
        many(11, "exemplars", &EXEMPLAR),
        one(12, "min", Double),
        one(13, "max", Double),
        one(14, "zeroThreshold", Double),
    ];
    BUCKETS = [one(1, "offset", ZigZag), one(2, "bucketCounts", PackedLong)];
    SUMMARY_POINT = [
        many(7, "attributes", &KEY_VALUE),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        many(6, "quantileValues", &QUANTILE),
        one(8, "flags", Int),
    ];
    QUANTILE = [one(1, "quantile", Double), one(2, "value", Double)];
    EXEMPLAR = [
        many(7, "filteredAttributes", &KEY_VALUE),
        one(2, "timeUnixNano", Fixed64),
        one(3, "asDouble", Double),
        one(6, "asInt", Signed64),
        one(4, "spanId", Id),
        one(5, "traceId", Id),
    ];

    EXPORT_LOGS = [many(1, "resourceLogs", &RESOURCE_LOGS)];
    RESOURCE_LOGS = [
        message(1, "resource", &RESOURCE),
        many(2, "scopeLogs", &SCOPE_LOGS),
        one(3, "schemaUrl", Text),
    ];
    SCOPE_LOGS = [
        message(1, "scope", &SCOPE),
        many(2, "logRecords", &LOG_RECORD),
        one(3, "schemaUrl", Text),
    ];
    LOG_RECORD = [
        one(1, "timeUnixNano", Fixed64),
        one(11, "observedTimeUnixNano", Fixed64),
        one(2, "severityNumber", Int),
        one(3, "severityText", Text),
        message(5, "body", &ANY_VALUE),
        many(6, "attributes", &KEY_VALUE),
        one(7, "droppedAttributesCount", Int),
        one(8, "flags", Fixed32),
        one(9, "traceId", Id),
        one(10, "spanId", Id),
        one(12, "eventName", Text),
    ];
}
