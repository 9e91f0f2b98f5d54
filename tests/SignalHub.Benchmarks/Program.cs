System.Console.WriteLine("SignalHub benchmarks");
