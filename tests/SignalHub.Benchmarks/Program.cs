using BenchmarkDotNet.Running;
using SignalHub.Benchmarks.Delivery;
using SignalHub.Benchmarks.Load;
using SignalHub.Benchmarks.PlainEf;
using SignalHub.Benchmarks.Report;

const string Usage = $"""
    dotnet run -c Release --project tests/SignalHub.Benchmarks -- <command>

      load      single posts: the service against pgbench and a plain EF Core implementation of the endpoint
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
