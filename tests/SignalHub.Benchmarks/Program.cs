return args is ["delivery", .. var delivery] ? await SignalHub.Benchmarks.Delivery.DeliveryCommand.RunAsync(delivery) : 1;
