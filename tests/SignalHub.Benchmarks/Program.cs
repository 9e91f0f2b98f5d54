using BenchmarkDotNet.Running;
using SignalHub.Benchmarks.Delivery;
using SignalHub.Benchmarks.Growth;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.Nodes;
using SignalHub.Benchmarks.OpenLoop;
using SignalHub.Benchmarks.PlainEf;
using SignalHub.Benchmarks.Report;

const string Usage = $"""
    dotnet run -c Release --project tests/SignalHub.Benchmarks -- <command>

      load      single posts: the service against pgbench and a plain EF Core implementation of the endpoint
      latency   an open loop at 25, 50 and 75 % of what a closed loop reaches
      overload  three times what can be stored, beside clients that send a byte a second; and the seconds after it
      growth    posts with millions of signals stored against none
      nodes     two processes on one database: throughput, duplicates, wake-ups, counters, limits
    {LoadOptions.Usage}
      delivery  webhooks: durable deliveries against a bare HttpClient loop and graphile-worker; fairness; cost of a claim
      automations  what 200 automations in a workspace add to taking a signal in
      micro     what one condition, identity and score cost (BenchmarkDotNet; its options follow)
      plain-ef  the plain EF Core implementation alone; load starts it
    """;

switch (args)
{
    case ["load", .. var options]:
        return await LoadCommand.RunAsync(options);
    case ["latency", .. var options]:
        return await LatencyCommand.RunAsync(options);
    case ["overload", .. var options]:
        return await OverloadCommand.RunAsync(options);
    case ["growth", .. var options]:
        return await GrowthCommand.RunAsync(options);
    case ["nodes", .. var options]:
        return await NodesCommand.RunAsync(options);
    case ["delivery", .. var options]:
        return await DeliveryCommand.RunAsync(options);
    case ["automations", .. var options]:
        return await AutomationsCommand.RunAsync(options);
    case ["plain-ef"]:
        return await PlainEfServer.RunAsync();
    case ["micro", .. var options]:
        BenchmarkSwitcher.FromAssembly(typeof(Figure).Assembly).Run(options);
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return args is ["--help" or "-h" or "help"] ? 0 : 1;
}
