// Sends the two spans of test_guide.py: node send.mjs grpc|http none|gzip SERVICE
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const [protocol, compression, service] = process.argv.slice(2);
const exporter = protocol === 'grpc'
  ? new GrpcExporter({ url: 'http://127.0.0.1:4317', compression })
  : new ProtoExporter({ url: 'http://127.0.0.1:4318/v1/traces', compression });

const answers = { failed: 0, succeeded: 0 };
const send = exporter.export.bind(exporter);
exporter.export = (spans, done) => send(spans, (result) => {
  answers[result.code === 0 ? 'succeeded' : 'failed'] += 1;
  if (result.error) console.error(result.error);
  done(result);
});

const provider = new BasicTracerProvider({
  resource: defaultResource().merge(resourceFromAttributes({
    'service.name': service, 'service.instance.id': 'i-1', 'process.pid': 4711, 'host.name': 'node-1',
  })),
  spanProcessors: [new SimpleSpanProcessor(exporter)],
});
const tracer = provider.getTracer('test');
const start = Date.now();
const server = tracer.startSpan('GET /cart', {
  kind: SpanKind.SERVER, startTime: start,
  attributes: { 'http.method': 'GET', 'http.response.status_code': 200, 'http.route': '/cart', 'user.id': 'u-1', other: 'x'.repeat(50) },
});
server.end(start + 3);
const client = tracer.startSpan('charge', { kind: SpanKind.CLIENT, startTime: start });
client.addEvent('retry', { attempt: 1 });
client.setStatus({ code: SpanStatusCode.ERROR });
client.end(start + 700);
await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify(answers));
