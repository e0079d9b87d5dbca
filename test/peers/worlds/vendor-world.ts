import { Vendor, type VendorHabits } from '../vendors/vendor.ts';
import { BridgeWorld, type BridgeWorldOptions, type BridgeWorldParts } from './bridge-world.ts';

/** A vendor, and a bridge to it. */
export class VendorWorld extends BridgeWorld {
  readonly vendor: Vendor;

  private constructor(vendor: Vendor, parts: BridgeWorldParts) {
    super(parts);
    this.vendor = vendor;
  }

  static async create(
    habits: VendorHabits,
    args: readonly string[] | ((vendor: Vendor) => readonly string[]) = [],
    options: BridgeWorldOptions = {},
  ): Promise<VendorWorld> {
    const vendor = await Vendor.start(habits);
    const given = typeof args === 'function' ? args(vendor) : args;
    return new VendorWorld(vendor, await BridgeWorld.compose(vendor.mcpUrl, given, options));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.vendor[Symbol.asyncDispose]();
  }
}

export function createVendorWorld(...args: Parameters<typeof VendorWorld.create>): Promise<VendorWorld> {
  return VendorWorld.create(...args);
}
